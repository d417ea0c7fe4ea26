import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeDirectory } from "@kattegat/engine/cold/base/dense/dense-directory.ts";
import { openDocuments } from "@kattegat/engine/cold/base/documents/document-part.ts";
import { piecesOf, type ReadObject } from "@kattegat/engine/cold/base/object-pieces.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { encodeSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBaseSource } from "./base-source.ts";
import { makeBase, type BaseOrder, type BaseStore } from "./make-base.ts";
import { never } from "./edge-target.fixture.ts";

const ABOUT = { model: "given-384", dimensions: 384 };
const PASSAGES = 1_500;
const random = seededRandom(7);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-make-base-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Texts that deflate badly, so that a round of blocks is larger than one read. */
function passageOf(number: number): ColdPassage {
  const text = Array.from({ length: 400 }, () => Math.floor(random() * 2 ** 32).toString(36)).join(" ");
  return {
    documentId: `doc-${number}`,
    ordinal: 1,
    version: String(1 + number),
    epoch: 1,
    residency: "global",
    collection: "default",
    title: `Lov ${number}`,
    text,
    lang: "da",
    publishedAt: null,
    metadata: {},
    dense: toCanonical(Float32Array.from({ length: ABOUT.dimensions }, () => random() - 0.5)),
    sparse: { indices: Uint32Array.of(number), values: Float32Array.of(1) },
  };
}

function memoryStore(): BaseStore & { readonly objects: Map<string, Uint8Array<ArrayBuffer>> } {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    objects,
    read: (key, { offset, length }) =>
      Promise.resolve((objects.get(key) ?? new Uint8Array(0)).slice(offset, offset + length)),
    put(key, bytes) {
      objects.set(key, bytes);
      return Promise.resolve();
    },
  };
}

/** The documents of blocks that cannot be read. */
async function lostIn(base: ManifestBase, store: BaseStore): Promise<readonly number[]> {
  const readObject: ReadObject = (key, offset, length) => store.read(key, { offset, length });
  const sections = decodeSectionFile(await readObject(rootKey(base), 0, base.root.bytes), ROOT_KIND);
  const part = openDocuments(sections);
  const { rowPieces, rowsPerBlock } = decodeDirectory(sections);
  const read = piecesOf(base, readObject);
  const vectors = await read(Array.from({ length: rowPieces.count }, (_, block) => rowPieces.at(block)));
  const rows = Array.from({ length: part.rows }, (_, row) => row);
  const hits = await part.hits(rows, read);
  const lost = rows.filter((row) => hits[row] === null || vectors[Math.floor(row / rowsPerBlock)] === null);
  return [...new Set(lost.map(part.documentOf))];
}

function orderOf(key: string): Omit<BaseOrder, "base" | "segments"> {
  return { key, ...ABOUT, capacity: 2 * PASSAGES, folder };
}

describe("the making of a base", () => {
  it("makes the next one of one whose texts and vectors fill many reads, with every passage", async () => {
    const store = memoryStore();
    const passages = Array.from({ length: PASSAGES }, (_, number) => passageOf(number));
    const bytes = new Uint8Array(encodeSegment(passages, ABOUT));
    store.objects.set("segments/s", bytes);
    const checksum = crc32c(bytes).toString(16).padStart(8, "0");
    const segment = { key: "segments/s", bytes: bytes.byteLength, checksum, tombstones: [] };
    const first = await makeBase({ ...orderOf("bases/a"), base: null, segments: [segment] }, store, never);
    const dead = [first.documents.findIndex(({ documentId }) => documentId === "doc-9")];
    const of = { key: "bases/a", rootBytes: first.base.root.bytes };
    const next = await makeBase({ ...orderOf("bases/b"), base: { ...of, dead }, segments: [] }, store, never);
    const source = await openBaseSource(
      { key: "bases/b", rootBytes: next.base.root.bytes },
      (key, offset, length) => store.read(key, { offset, length }),
    );
    const found = new Map<string, string>();
    for await (const { documentId, text } of source.passages(() => true)) found.set(documentId, text);
    const expected = new Map(passages.map(({ documentId, text }) => [documentId, text]));
    expected.delete("doc-9");
    expect(found).toEqual(expected);
  });

  it("makes the next one without blocks that are damaged, where all of their documents are hidden; fails where one is not", async () => {
    const store = memoryStore();
    const passages = Array.from({ length: 300 }, (_, number) => passageOf(number));
    const bytes = new Uint8Array(encodeSegment(passages, ABOUT));
    store.objects.set("segments/s", bytes);
    const checksum = crc32c(bytes).toString(16).padStart(8, "0");
    const segment = { key: "segments/s", bytes: bytes.byteLength, checksum, tombstones: [] };
    const first = await makeBase({ ...orderOf("bases/d"), base: null, segments: [segment] }, store, never);
    const rows = store.objects.get("bases/d.rows.0");
    if (rows === undefined) throw new Error("a base has rows");
    for (const place of [0.2, 0.5, 0.9]) {
      const at = Math.floor(rows.length * place);
      rows[at] = (rows[at] ?? 0) ^ 1;
    }
    const of = { key: "bases/d", rootBytes: first.base.root.bytes };
    const nextOf = (key: string, dead: readonly number[]) =>
      makeBase({ ...orderOf(key), base: { ...of, dead: [...dead] }, segments: [] }, store, never);
    await expect(nextOf("bases/e", [])).rejects.toThrow("could not be read");
    const lost = await lostIn(first.base, store);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(100);
    await expect(nextOf("bases/f", lost.slice(1))).rejects.toThrow("could not be read");
    const next = await nextOf("bases/g", lost);
    expect(next.documents).toHaveLength(300 - lost.length);
  });

  it("fails with what the thread died of, also while the store was at work", async () => {
    const store = memoryStore();
    const slow: BaseStore = {
      ...store,
      async read() {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return new Uint8Array(10);
      },
    };
    const order = { ...orderOf("bases/c"), base: { key: "bases/a", rootBytes: 10, dead: [] }, segments: [] };
    await expect(makeBase(order, slow, never)).rejects.toThrow("expected");
  });
});
