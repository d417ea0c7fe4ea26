import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBase } from "@kattegat/engine/cold/base/base-index.ts";
import { buildBase, type BuiltBase } from "@kattegat/engine/cold/base/build-base.ts";
import { createPassageSpool } from "@kattegat/engine/cold/base/passage-spool.ts";
import type { ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { createBitmap, setBit } from "@kattegat/engine/index/bitmap.ts";
import { passageVector } from "@kattegat/engine/lexical/bm25.ts";
import { analyze } from "@kattegat/engine/text/analyzer.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openBaseSource } from "./base-source.ts";
import { readScanner } from "./scanner.ts";
import { createTextFile } from "./text-spool.ts";

const DIMENSIONS = 64;
const KEY = "bases/b1";
const embedder = createHashedEmbedder({ dimensions: DIMENSIONS });
const WORDS =
  "frist klage skat miljø afgørelse nævn lov borger kommune ret undervisning stat vej bygning".split(" ");

function passageOf(number: number): ColdPassage {
  const text = [number % 5, number % 7, number % 11, number % 13].map((at) => WORDS[at] ?? "").join(" ");
  return {
    documentId: `doc-${Math.floor(number / 2)}`,
    ordinal: 1 + (number % 2),
    version: String(100 + Math.floor(number / 2)),
    epoch: 1,
    residency: number % 6 < 2 ? "eu" : "global",
    collection: "default",
    title: `Lov ${Math.floor(number / 2)}`,
    text: `${text} ${number}`,
    lang: "da",
    publishedAt: "2020-01-01T00:00:00.000Z",
    metadata: { year: 1_990 + (Math.floor(number / 2) % 30) },
    dense: toCanonical(embedder.embedSync(`${text} ${number}`)),
    sparse: passageVector(analyze(`${text} ${number}`, "da")),
  };
}

const passages = Array.from({ length: 3_000 }, (_, number) => passageOf(number));
const objects = new Map<string, Uint8Array<ArrayBuffer>>();
const read: ReadPieces = (pieces) =>
  Promise.resolve(
    pieces.map(({ file, volume, offset, length, checksum }) => {
      const bytes = objects.get(volumeKey({ key: KEY }, file, volume))?.subarray(offset, offset + length);
      return bytes !== undefined && crc32c(bytes) === checksum ? bytes : null;
    }),
  );
let built: BuiltBase;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-spool-"));
  const capacity = passages.length;
  const texts = createTextFile({ folder, name: "b1", capacity });
  const spool = createPassageSpool({ dimensions: DIMENSIONS, capacity, texts });
  for (const passage of passages) spool.add(passage);
  built = await buildBase(spool, {
    key: KEY,
    model: embedder.model,
    scanner: readScanner(),
    put: (key, bytes) => {
      objects.set(key, bytes);
      return Promise.resolve();
    },
  });
  texts.remove();
});
afterAll(() => rmSync(folder, { recursive: true }));

const openHere = () => openBase(objects.get(rootKey({ key: KEY })) ?? new Uint8Array(0), null);
const nothingDead = () => ({ name: "none", documents: createBitmap(1_500) });

describe("a base made of passages", () => {
  it("gives all of them back, bit for bit", async () => {
    const source = await openBaseSource(
      { key: KEY, rootBytes: built.base.root.bytes },
      (key, offset, length) =>
        Promise.resolve((objects.get(key) ?? new Uint8Array(0)).subarray(offset, offset + length)),
    );
    const found: ColdPassage[] = [];
    for await (const passage of source.passages(() => true)) found.push(passage);
    const placeOf = ({ version, ordinal }: ColdPassage): number => (Number(version) - 100) * 2 + ordinal - 1;
    const byPlace = (a: ColdPassage, b: ColdPassage): number => placeOf(a) - placeOf(b);
    const nothing = new Float32Array(0);
    expect(found.toSorted(byPlace).map((passage) => ({ ...passage, dense: nothing }))).toEqual(
      passages.map((passage) => ({ ...passage, dense: nothing })),
    );
    for (const passage of found) {
      const original = passages[placeOf(passage)]?.dense ?? new Float32Array(0);
      expect(
        Math.max(...passage.dense.map((value, at) => Math.abs(value - (original[at] ?? 0)))),
      ).toBeLessThan(1e-6);
    }
    expect(await source.documents()).toEqual(built.documents);
    const left: string[] = [];
    for await (const { documentId } of source.passages((document) => document !== 7)) left.push(documentId);
    expect(left).not.toContain(built.documents[7]?.documentId);
    expect(left).toHaveLength(passages.length - 2);
  });

  it("finds in every list what an exact search finds, named where it can stand on the page (I6)", async () => {
    const base = openHere();
    const target = passages[1_234];
    const lexical = passageVector(analyze("1234", "da"));
    const answer = await base.search({
      dense: target?.dense ?? null,
      lexical,
      filter: null,
      dead: nothingDead(),
      depth: 100,
      page: 10,
      grouped: true,
      probes: null,
      read,
    });
    expect(answer.missing).toBe(0);
    expect(answer.dense).toHaveLength(100);
    expect(answer.dense[0]?.hit?.documentId).toBe("doc-617");
    expect(answer.dense[0]?.score).toBeCloseTo(1, 5);
    expect(answer.lexical[0]?.hit?.documentId).toBe("doc-617");
    expect(answer.dense.filter(({ hit }) => hit !== null).length).toBeGreaterThanOrEqual(10);
    expect(answer.dense.slice(10).some(({ hit }) => hit === null)).toBe(true);
  });

  it("leaves out what a filter refuses, what is dead", async () => {
    const base = openHere();
    const documents = createBitmap(1_500);
    const dead = built.documents.findIndex(({ documentId }) => documentId === "doc-617");
    setBit(documents, dead);
    const answer = await base.search({
      dense: passages[1_234]?.dense ?? null,
      lexical: null,
      filter: {
        must: [
          { key: "residency", match: { value: "eu" } },
          { key: "metadata.year", range: { gte: 2_000, lt: 2_010 } },
        ],
      },
      dead: { name: "one", documents },
      depth: 500,
      page: 500,
      grouped: false,
      probes: null,
      read,
    });
    const expected = passages.filter(
      ({ residency, metadata, documentId }) =>
        residency === "eu" &&
        Number(metadata["year"]) >= 2_000 &&
        Number(metadata["year"]) < 2_010 &&
        documentId !== "doc-617",
    );
    expect(answer.dense.length).toBe(Math.min(500, expected.length));
    const allowed = new Set(expected.map(({ text }) => text));
    for (const { hit } of answer.dense) expect(allowed.has(hit?.text ?? "")).toBe(true);
  });

  it("says what is missing when pieces cannot be read, and shows the rest", async () => {
    const base = openHere();
    const failing: ReadPieces = async (pieces) =>
      (await read(pieces)).map((bytes, at) => (pieces[at]?.file === "rows" && at % 2 === 0 ? null : bytes));
    const answer = await base.search({
      dense: passages[10]?.dense ?? null,
      lexical: null,
      filter: null,
      dead: nothingDead(),
      depth: 100,
      page: 10,
      grouped: true,
      probes: null,
      read: failing,
    });
    expect(answer.missing).toBeGreaterThan(0);
    expect(answer.exact).toBe(false);
    expect(answer.dense.length).toBeGreaterThan(0);
  });
});
