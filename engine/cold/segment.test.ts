import type { Filter } from "@kattegat/protocol/filter.ts";
import { describe, expect, it } from "vitest";
import { toCanonical } from "../vector/canonical.ts";
import { exactDot } from "../vector/dot.ts";
import { testScanner } from "../vector/scanner.fixture.ts";
import { clusteredVectors } from "../vector/vectors.fixture.ts";
import { sparseDot } from "../index/sparse-scores.ts";
import { crc32c } from "./crc32c.ts";
import { ColdFormatError, type ColdPassage, encodeSegment, openSegment } from "./segment.ts";
import { seededRandom } from "../seeded-random.ts";

const scanner = testScanner();
const DIMENSIONS = 48;
const all = { limit: 20, filter: null, grouped: true, hidden: () => false };

function passagesOf(documents: number): ColdPassage[] {
  const random = seededRandom(7);
  const vectors = clusteredVectors(documents * 3, { dimensions: DIMENSIONS, centres: 9, random });
  return vectors.map((dense, i) => {
    const document = Math.floor(i / 3);
    const terms = [
      ...new Set(Array.from({ length: 6 }, () => Math.floor(random() * 40) * 0x0500_0001)),
    ].toSorted((a, b) => a - b);
    return {
      documentId: `doc-${document}`,
      ordinal: (i % 3) + 1,
      version: String(1_000 + document),
      epoch: 1,
      residency: document % 2 === 0 ? "eu" : "global",
      collection: "default",
      dense,
      sparse: { indices: Uint32Array.from(terms), values: Float32Array.from(terms, () => random() * 2) },
      title: `Lov nr. ${document}`,
      text: `§ ${i}. Æ ø å ${"tekst ".repeat(i % 40)}`,
      lang: document % 5 === 0 ? null : "da",
      publishedAt: document % 2 === 0 ? null : `20${10 + (document % 10)}-01-01T00:00:00.000Z`,
      metadata: { n: document, source: { name: "eli" } },
    };
  });
}

const passages = passagesOf(200);
const bytes = encodeSegment(passages, { model: "test-v1", dimensions: DIMENSIONS });

function open(object: Uint8Array, totalBytes = object.byteLength) {
  const read = async (offset: number, length: number) => object.slice(offset, offset + length);
  return openSegment(read, { scanner, totalBytes });
}

function exact(
  score: (passage: ColdPassage) => number,
  { limit, keeps }: { limit: number; keeps: (p: ColdPassage) => boolean },
) {
  const best = new Map<string, { passage_id: string; score: number; id: string }>();
  for (const passage of passages) {
    if (!keeps(passage)) continue;
    const hit = {
      id: passage.documentId,
      passage_id: `${passage.documentId}#${passage.ordinal}`,
      score: score(passage),
    };
    if (hit.score > (best.get(hit.id)?.score ?? -Infinity)) best.set(hit.id, hit);
  }
  return [...best.values()]
    .toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map(({ passage_id, score: value }) => ({ passage_id, score: value }));
}
const shown = (hits: readonly { documentId: string; ordinal: number; score: number }[]) =>
  hits.map(({ documentId, ordinal, score }) => ({ passage_id: `${documentId}#${ordinal}`, score }));

describe("a cold segment", () => {
  it.each<readonly [string, Filter | null, (p: ColdPassage) => boolean]>([
    ["without a filter", null, () => true],
    [
      "by date of publication",
      { must: [{ key: "published_at", range: { gte: "2014-01-01T00:00:00Z" } }] },
      ({ publishedAt }: ColdPassage) => publishedAt !== null && publishedAt >= "2014",
    ],
    [
      "of one class",
      { must: [{ key: "residency", match: { any: ["eu"] } }] },
      ({ residency }) => residency === "eu",
    ],
    [
      "by metadata",
      { must: [{ key: "metadata.n", range: { lt: 60 } }] },
      ({ metadata }) => Number(metadata["n"]) < 60,
    ],
    ["by language", { must_not: [{ key: "lang", match: { value: "da" } }] }, ({ lang }) => lang === null],
    [
      "by id",
      { must_not: [{ has_id: ["doc-3", "doc-6#1"] }] },
      (p) => p.documentId !== "doc-3" && `${p.documentId}#${p.ordinal}` !== "doc-6#1",
    ],
  ])("gives the same ranking and scores as scoring every float vector, %s", async (_, filter, passes) => {
    const segment = await open(bytes);
    const hidden = (id: string, version: string) => Number(id.slice(4)) % 7 === 0 && version !== "1007";
    const keeps = (p: ColdPassage) => passes(p) && !hidden(p.documentId, p.version);
    for (const query of passages.filter((_passage, i) => i % 50 === 0)) {
      const dense = await segment.searchDense(query.dense, { ...all, filter, hidden });
      expect(shown(dense)).toEqual(exact((p) => exactDot(query.dense, p.dense), { limit: 20, keeps }));
      const wanted = new Set(query.sparse.indices);
      const sparse = await segment.searchSparse(query.sparse, { ...all, filter, hidden });
      const touched = (p: ColdPassage) => keeps(p) && p.sparse.indices.some((term) => wanted.has(term));
      expect(shown(sparse)).toEqual(
        exact((p) => sparseDot(query.sparse, p.sparse), { limit: 20, keeps: touched }),
      );
    }
  });

  it("gives back every passage as it was put in", async () => {
    const segment = await open(bytes);
    const read: ColdPassage[] = [];
    for await (const passage of segment.readAll()) read.push(passage);
    const key = (p: ColdPassage) => `${p.documentId}#${p.ordinal}`;
    const sorted = passages.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(read).toEqual(sorted);
    expect([...segment.documents()]).toHaveLength(200);
    const [hit] = await segment.searchDense(passages[0]?.dense ?? new Float32Array(), { ...all, limit: 1 });
    expect(await segment.hydrate([hit?.row ?? -1])).toEqual([
      {
        title: "Lov nr. 0",
        text: passages[0]?.text,
        lang: null,
        metadata: { n: 0, source: { name: "eli" } },
      },
    ]);
  });

  it("is the same bytes for the same passages, whatever their order", () => {
    expect(encodeSegment(passages.toReversed(), { model: "test-v1", dimensions: DIMENSIONS })).toEqual(bytes);
  });

  it("holds nothing, too", async () => {
    const empty = await open(encodeSegment([], { model: "test-v1", dimensions: DIMENSIONS }));
    expect(await empty.searchDense(new Float32Array(DIMENSIONS), all)).toEqual([]);
    expect(await empty.searchSparse({ indices: Uint32Array.of(1), values: Float32Array.of(1) }, all)).toEqual(
      [],
    );
  });

  it("refuses any flipped bit where it is read, never gives another answer (I13)", async () => {
    const query = passages[17]?.dense ?? new Float32Array(DIMENSIONS);
    const answer = async (object: Uint8Array) => {
      const segment = await open(object);
      const hits = await segment.searchDense(query, all);
      const read = [];
      for await (const passage of segment.readAll()) read.push(passage);
      return { hits, contents: await segment.hydrate(hits.map(({ row }) => row)), read };
    };
    const right = await answer(bytes);
    const random = seededRandom(8);
    let refused = 0;
    for (let i = 0; i < 250; i += 1) {
      const at = i < 200 ? Math.floor(random() * bytes.byteLength) : Math.floor(random() * 400);
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      try {
        expect(await answer(damaged), `byte ${at}`).toEqual(right);
      } catch (error) {
        if (!(error instanceof ColdFormatError)) throw error;
        refused += 1;
      }
    }
    // Only the few bytes of padding between sections may change without being noticed.
    expect(refused).toBeGreaterThanOrEqual(247);
  });

  it("refuses an object that is cut off, or longer than it says (I13)", async () => {
    for (const length of [0, 3, 100, 400, bytes.byteLength - 1]) {
      await expect(open(bytes.slice(0, length))).rejects.toThrow(ColdFormatError);
    }
    await expect(open(bytes, bytes.byteLength + 8)).rejects.toThrow("expected an object of");
    const cut = await open(bytes.slice(0, bytes.byteLength - 5_000), bytes.byteLength);
    await expect(cut.hydrate([599])).rejects.toThrow("cut off");
  });

  it("is told from every other segment by the manifest's checksum, without being read whole (I13)", async () => {
    const whole = crc32c(bytes).toString(16).padStart(8, "0");
    const ranges: number[] = [];
    const openAs = (checksum: string) =>
      openSegment(
        (offset, length) => {
          ranges.push(offset + length);
          return Promise.resolve(bytes.slice(offset, offset + length));
        },
        { scanner, totalBytes: bytes.byteLength, checksum },
      );
    expect((await openAs(whole)).passages).toBe(600);
    expect(Math.max(...ranges)).toBeLessThan(bytes.byteLength / 2);
    const others = passages.map((passage, i) =>
      i === 299 ? { ...passage, text: `${passage.text}!` } : passage,
    );
    const other = encodeSegment(others, { model: "test-v1", dimensions: DIMENSIONS });
    await expect(openAs(crc32c(other).toString(16).padStart(8, "0"))).rejects.toThrow(
      "expected the segment that the manifest names",
    );
  });

  it("reads nothing for vectors that their integers carry whole", async () => {
    const canonical = passages.map((passage) => ({ ...passage, dense: toCanonical(passage.dense) }));
    const object = encodeSegment(canonical, { model: "test-v1", dimensions: DIMENSIONS });
    let reads = 0;
    const segment = await openSegment(
      (offset, length) => {
        reads += 1;
        return Promise.resolve(object.slice(offset, offset + length));
      },
      { scanner, totalBytes: object.byteLength },
    );
    const query = canonical[70]?.dense ?? new Float32Array(DIMENSIONS);
    const before = reads;
    const hits = await segment.searchDense(query, { ...all, grouped: false });
    expect(reads).toBe(before);
    const scores = canonical.map(({ dense }) => exactDot(query, dense)).toSorted((a, b) => b - a);
    expect(hits.map(({ score }) => score)).toEqual(scores.slice(0, 20));
  });

  it("refuses another version by name", async () => {
    const newer = bytes.slice();
    newer[4] = 2;
    await expect(open(newer)).rejects.toThrow("expected version 1 of the cold segment, got 2");
    await expect(open(new TextEncoder().encode("<html>".repeat(200)))).rejects.toThrow(
      "expected a cold segment",
    );
  });
});

it("checks with CRC-32C (RFC 3720, appendix B.4)", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});
