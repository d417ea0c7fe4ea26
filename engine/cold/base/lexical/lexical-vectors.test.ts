import { describe, expect, it } from "vitest";
import type { SparseVector } from "../../../lexical/bm25.ts";
import { passageVector } from "../../../lexical/bm25.ts";
import { ColdFormatError } from "../../format-error.ts";
import { corpusOf, createPieceStore } from "./lexical-corpus.fixture.ts";
import { writeLexical } from "./lexical-builder.ts";
import { readVectors } from "./lexical-vectors.ts";

const EMPTY: SparseVector = { indices: new Uint32Array(0), values: new Float32Array(0) };

async function writtenOf(vectors: readonly SparseVector[]) {
  const store = createPieceStore();
  const source = { rows: vectors.length, vectorOf: (row: number) => vectors[row] ?? EMPTY };
  return { store, sections: await writeLexical(source, store.writer) };
}

describe("readVectors", () => {
  it.each([9_000, 65_536])("gives every row back bit for bit, %i rows a pass", async (passRows) => {
    const vectors = corpusOf({ rows: 24_000, seed: 4, rawShare: 0.02 });
    vectors[17] = EMPTY;
    vectors[18] = { indices: Uint32Array.of(0, 0xffff_ffff), values: Float32Array.of(-0, 3e38) };
    const { store, sections } = await writtenOf(vectors);
    expect(sections.get("lexMatrixRest")?.byteLength).toBeGreaterThan(0);
    let row = 0;
    for await (const { indices, values } of readVectors(sections, { read: store.read, passRows })) {
      const wanted = vectors[row] ?? EMPTY;
      if (Buffer.compare(Buffer.from(indices.buffer), Buffer.from(wanted.indices.buffer)) !== 0)
        expect(indices).toEqual(wanted.indices);
      if (Buffer.compare(Buffer.from(values.buffer), Buffer.from(wanted.values.buffer)) !== 0)
        expect(values).toEqual(wanted.values);
      row += 1;
    }
    expect(row).toBe(vectors.length);
  });

  it("yields nothing of an empty base", async () => {
    const { store, sections } = await writtenOf([]);
    for await (const vector of readVectors(sections, { read: store.read })) expect(vector).toBeUndefined();
  });

  it("throws when a piece is missing, since the vectors would be others", async () => {
    const { store, sections } = await writtenOf(corpusOf({ rows: 2_000, seed: 5 }));
    for (const piece of store.written) {
      store.missing.add(store.keyOf(piece));
      const all = async () => {
        for await (const vector of readVectors(sections, { read: store.read }))
          expect(vector.indices.length).toBe(vector.values.length);
      };
      await expect(all()).rejects.toThrow(ColdFormatError);
      store.missing.clear();
    }
  });

  it("takes less than three bytes a posting of passages, root included", async () => {
    const vectors = corpusOf({ rows: 12_000, seed: 6 });
    const { store, sections } = await writtenOf(vectors);
    const postings = vectors.reduce((sum, { indices }) => sum + indices.length, 0);
    const root = [...sections.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const bytes = store.written.reduce((sum, { length }) => sum + length, root);
    expect(bytes / postings).toBeLessThan(3);
  });

  it("keeps passages of up to 65,534 terms without their values", async () => {
    const tokens = Array.from({ length: 65_534 }, (_, i) => ({ term: `t${i % 40_000}`, start: 0, end: 1 }));
    const { store } = await writtenOf([passageVector(tokens)]);
    expect(store.written.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(40_000 * 8);
  });
});
