import { beforeAll, describe, expect, it } from "vitest";
import type { SparseVector } from "../../../lexical/bm25.ts";
import { ColdFormatError } from "../../format-error.ts";
import {
  corpusOf,
  createExhaustive,
  createPieceStore,
  queryOf,
  sampleOf,
  termOf,
} from "./lexical-corpus.fixture.ts";
import { writeLexical } from "./lexical-builder.ts";
import { openLexical } from "./lexical-index.ts";
import { readVectors } from "./lexical-vectors.ts";
import type { LexicalLimits } from "./lexical-search.ts";
import type { RowSearchOptions } from "../parts.ts";
import type { Sections } from "../section-file.ts";
import { seededRandom } from "../../../seeded-random.ts";
import type { Piece } from "../piece.ts";

/** Nothing whole, everything staged, hardly anything held: every path of a search at this size. */
const TIGHT: LexicalLimits = { wholeBytesMax: 0, roundBytesMax: 4_000, heldBytesMax: 30_000 };
const BOUNDED: LexicalLimits = { ...TIGHT, roundBytesMax: 1e6, heldBytesMax: 1e6 };
const ROWS = 24_000;
const QUERIES = 60;

interface Base {
  readonly vectors: readonly SparseVector[];
  readonly store: ReturnType<typeof createPieceStore>;
  readonly sections: Sections;
  readonly exhaustive: ReturnType<typeof createExhaustive>;
}

async function baseOf(vectors: readonly SparseVector[]): Promise<Base> {
  const store = createPieceStore();
  const empty: SparseVector = { indices: new Uint32Array(0), values: new Float32Array(0) };
  const source = { rows: vectors.length, vectorOf: (row: number) => vectors[row] ?? empty };
  const sections = await writeLexical(source, store.writer);
  return { vectors, store, sections, exhaustive: createExhaustive(vectors) };
}

const optionsOf = (base: Base, options: Partial<RowSearchOptions> = {}): RowSearchOptions => ({
  wanted: 10,
  admitted: null,
  groupOf: null,
  read: base.store.read,
  ...options,
});

/** Frequent terms alone, rare ones alone, both, unknown ones among them. */
function ranksOf(random: () => number): number[] {
  const terms = 1 + Math.floor(random() ** 2 * 24);
  const reach = [30, 100, 3_000, 4_000][Math.floor(random() * 4)] ?? 40;
  return Array.from({ length: terms }, () => Math.floor(reach * random() ** 2));
}

describe("a lexical search of a base", () => {
  let plain: Base;
  let mixed: Base;
  beforeAll(async () => {
    plain = await baseOf(corpusOf({ rows: ROWS, seed: 1 }));
    mixed = await baseOf(corpusOf({ rows: ROWS, seed: 2, rawShare: 0.04 }));
  });

  it("has terms in pages, in pieces with a directory, in the matrix, some values of which are beside it", () => {
    const bytesOf = (name: string) => plain.sections.get(name)?.byteLength ?? 0;
    expect(bytesOf("lexPages")).toBeGreaterThan(16);
    expect(bytesOf("lexBlockStarts")).toBeGreaterThan(4);
    expect(bytesOf("lexMatrix")).toBe(ROWS * 8);
    expect(bytesOf("lexMatrixRest")).toBeGreaterThan(0);
  });

  it.each([
    ["passages", "default limits", undefined],
    ["passages", "bounds alone", BOUNDED],
    ["passages", "hardly any memory", TIGHT],
    ["vectors given by others too", "default limits", undefined],
    ["vectors given by others too", "bounds alone", BOUNDED],
    ["vectors given by others too", "hardly any memory", TIGHT],
  ])("answers as exhaustive scoring does: %s, %s", async (kind, _limits, limits) => {
    const base = kind === "passages" ? plain : mixed;
    const index = openLexical(base.sections, limits);
    const random = seededRandom(3);
    for (let i = 0; i < QUERIES; i += 1) {
      const query = queryOf(ranksOf(random), random);
      const wanted = [1, 10, 100, 1_000][i % 4] ?? 10;
      const chance = [1, 0.5, 0.01][Math.floor(random() * 3)] ?? 1;
      const admitted = chance === 1 ? null : sampleOf(ROWS, chance, random);
      const width = [1, 3, 500][Math.floor(random() * 3)] ?? 1;
      const groupOf = width === 1 ? null : (row: number) => (row * 7) % Math.ceil(ROWS / width);
      const asked = { wanted, admitted, groupOf };
      const answer = await index.search(query, optionsOf(base, asked));
      expect(answer.hits).toEqual(base.exhaustive(query, asked));
      expect(answer).toMatchObject({ missing: 0, exact: true });
      expect(answer.blocks).toBeLessThanOrEqual(answer.blocksOfTerms);
    }
  });

  it("decodes a small share of the blocks when a rare term decides", async () => {
    const query: SparseVector = {
      indices: Uint32Array.from([0, 1, 2, 2_900].map(termOf)).sort(),
      values: new Float32Array(4),
    };
    query.indices.forEach((id, i) => (query.values[i] = id === termOf(2_900) ? 9 : 0.3));
    const answer = await openLexical(plain.sections, BOUNDED).search(query, optionsOf(plain, { wanted: 3 }));
    expect(answer.blocks * 4).toBeLessThan(answer.blocksOfTerms);
  });

  it("needs two rounds of reads, three when the second one would be large", async () => {
    const random = seededRandom(5);
    for (let i = 0; i < 30; i += 1) {
      const query = queryOf(ranksOf(random), random);
      for (const [limits, roundsMax] of [
        [BOUNDED, 2],
        [{ ...BOUNDED, roundBytesMax: 2_000 }, 3],
      ] as const) {
        plain.store.rounds.length = 0;
        await openLexical(plain.sections, limits).search(query, optionsOf(plain));
        expect(plain.store.rounds.length).toBeLessThanOrEqual(roundsMax);
      }
    }
  });

  it("finds rows whose products are zero, as exhaustive scoring does", async () => {
    const query = queryOf([5, 900, 2_800], () => 0);
    query.values.set([0, 0, 0]);
    const answer = await openLexical(mixed.sections, TIGHT).search(query, optionsOf(mixed, { wanted: 50 }));
    expect(answer.hits).toEqual(mixed.exhaustive(query, { wanted: 50, admitted: null, groupOf: null }));
    expect(answer.hits.length).toBe(50);
  });

  it("reads one page at most for a term that no row has", async () => {
    const random = seededRandom(6);
    const index = openLexical(plain.sections);
    let pages = 0;
    for (let i = 0; i < 500; i += 1) {
      plain.store.rounds.length = 0;
      const answer = await index.search(queryOf([10_000 + i], random), optionsOf(plain));
      expect(answer).toMatchObject({ hits: [], exact: true });
      pages += plain.store.rounds.reduce((sum, count) => sum + count, 0);
    }
    expect(pages).toBeLessThan(25);
  });

  it("leaves out the rows that a missing piece may have been about, says so, scores none of them lower", async () => {
    const random = seededRandom(7);
    for (let i = 0; i < 20; i += 1) {
      const query = queryOf([...ranksOf(random), 1, 2_000], random);
      for (const piece of plain.store.written)
        if (random() < 0.2) plain.store.missing.add(plain.store.keyOf(piece));
      const index = openLexical(plain.sections, i % 2 === 0 ? BOUNDED : undefined);
      const answer = await index.search(query, optionsOf(plain));
      plain.store.missing.clear();
      expect(answer.exact).toBe(answer.missing === 0);
      const all = plain.exhaustive(query, { wanted: ROWS, admitted: null, groupOf: null });
      const truth = new Map(all.map(({ row, score }) => [row, score]));
      for (const { row, score } of answer.hits) expect(score).toBe(truth.get(row));
      if (answer.exact) expect(answer.hits).toEqual(all.slice(0, 10));
    }
  });

  it("shows the rows that a missing piece of a frequent term cannot have been about", async () => {
    const large = await baseOf(corpusOf({ rows: 100_000, seed: 12 }));
    const random = seededRandom(12);
    const query = queryOf([16, 17], random);
    const options = optionsOf(large, { wanted: 2_000 });
    const all = large.exhaustive(query, { wanted: 100_000, admitted: null, groupOf: null });
    const truth = new Map(all.map(({ row, score }) => [row, score]));
    for (const limits of [BOUNDED, undefined]) {
      const asked = new Set<Piece>();
      const index = openLexical(large.sections, limits);
      await index.search(query, {
        ...options,
        read: (pieces) => {
          for (const piece of pieces) asked.add(piece);
          return large.store.read(pieces);
        },
      });
      expect(asked.size).toBeGreaterThan(2);
      for (const piece of asked) {
        large.store.missing.add(large.store.keyOf(piece));
        const { hits, missing } = await index.search(query, options);
        large.store.missing.clear();
        expect(missing).toBe(1);
        expect(hits.length).toBeGreaterThan(100);
        for (const { row, score } of hits) expect(score).toBe(truth.get(row));
      }
    }
  });

  it("throws a ColdFormatError for odd pieces, whatever they hold", async () => {
    const random = seededRandom(8);
    let refused = 0;
    for (let i = 0; i < 300; i += 1) {
      const query = queryOf([0, 1, 30, 2_000, 2_500], random);
      const read: RowSearchOptions["read"] = async (pieces) =>
        (await plain.store.read(pieces)).map((bytes) => (bytes === null ? null : damaged(bytes, random)));
      const search = openLexical(plain.sections, BOUNDED).search(query, optionsOf(plain, { read }));
      const error = await search.then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error !== null) expect(error).toBeInstanceOf(ColdFormatError);
      if (error !== null) refused += 1;
    }
    expect(refused).toBeGreaterThan(200);
  });

  it("throws a ColdFormatError for odd sections, or answers", async () => {
    const random = seededRandom(9);
    for (let i = 0; i < 300; i += 1) {
      const names = [...plain.sections.keys()];
      const name = names[Math.floor(random() * names.length)] ?? "";
      const sections = new Map(plain.sections);
      sections.set(name, damaged(plain.sections.get(name) ?? new Uint8Array(0), random));
      const search = async () =>
        openLexical(sections, BOUNDED).search(queryOf([0, 1, 30, 2_000], random), optionsOf(plain));
      const error = await search().then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error !== null) expect(error).toBeInstanceOf(ColdFormatError);
    }
    expect(() => openLexical(new Map())).toThrow(ColdFormatError);
  });

  it("answers from an empty base, from one row, from sections at odd addresses", async () => {
    const empty = await baseOf([]);
    const query: SparseVector = { indices: Uint32Array.of(3, 7), values: Float32Array.of(1, 2) };
    expect(await openLexical(empty.sections).search(query, optionsOf(empty))).toMatchObject({
      hits: [],
      exact: true,
    });
    const one = await baseOf([{ indices: Uint32Array.of(7), values: Float32Array.of(0.25) }]);
    const odd = new Map(
      [...one.sections].map(([name, bytes]) => [name, Uint8Array.of(0, ...bytes).subarray(1)]),
    );
    const answer = await openLexical(odd).search(query, optionsOf(one));
    expect(answer.hits).toEqual([{ row: 0, score: 0.5 }]);
    expect(openLexical(one.sections).residentBytes).toBeGreaterThan(0);
  });

  it("answers from a base whose terms are all in the matrix, without a read", async () => {
    const vectors = corpusOf({ rows: 9_000, seed: 10 }).map(({ values }) => ({
      indices: Uint32Array.of(3, 0xffff_ffff),
      values: new Float32Array(2).fill(values[0] ?? 1),
    }));
    const base = await baseOf(vectors);
    expect(base.store.written).toEqual([]);
    const query: SparseVector = { indices: Uint32Array.of(3, 0xffff_ffff), values: Float32Array.of(1, 2) };
    const asked = { wanted: 100, admitted: null, groupOf: null };
    const answer = await openLexical(base.sections).search(query, optionsOf(base, asked));
    expect(answer.hits).toEqual(base.exhaustive(query, asked));
    let row = 0;
    for await (const vector of readVectors(base.sections, { read: base.store.read })) {
      if (row % 100 === 0) expect(vector).toEqual(vectors[row]);
      row += 1;
    }
    expect([row, base.store.rounds]).toEqual([9_000, []]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses the weight %d", async (weight) => {
    const query: SparseVector = { indices: Uint32Array.of(7), values: Float32Array.of(weight) };
    await expect(openLexical(plain.sections).search(query, optionsOf(plain))).rejects.toThrow(RangeError);
  });

  it.each([
    ["ids that do not ascend", [7, 7], [1, 1]],
    ["fewer values than ids", [7, 8], [1]],
    ["a value below 0", [7], [-1]],
    ["a value that is no number", [7], [Number.NaN]],
  ])("takes no vector with %s", async (_what, ids, values) => {
    const vector = { indices: Uint32Array.from(ids), values: Float32Array.from(values) };
    await expect(baseOf([vector])).rejects.toThrow(RangeError);
  });
});

/** Cut off, or with some other bytes. */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  if (random() < 0.3) return bytes.slice(0, Math.floor(bytes.length * random()));
  const copy = bytes.slice();
  for (let i = 0; i < 8; i += 1)
    copy[Math.floor(random() * copy.length)] = random() < 0.5 ? 255 : Math.floor(random() * 256);
  return copy;
}
