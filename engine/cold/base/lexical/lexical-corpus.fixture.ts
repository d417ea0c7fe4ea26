/** Random corpora for the lexical half of a base, with the answers of an exhaustive search. */
import type { Bitmap } from "../../../index/bitmap.ts";
import { createBitmap, hasBit, setBit } from "../../../index/bitmap.ts";
import { rank } from "../../../index/ranking.ts";
import { createSparseScores } from "../../../index/sparse-scores.ts";
import { lengthFactorOf, type SparseVector, termWeightOf } from "../../../lexical/bm25.ts";
import { crc32c } from "../../crc32c.ts";
import type { RowHit } from "../parts.ts";
import type { Piece, PieceWriter, ReadPieces } from "../piece.ts";
import { seededRandom } from "../../../seeded-random.ts";

/** Small, so that a corpus has many volumes. */
const VOLUME_BYTES_MAX = 100_000;

/** The id of the term with this rank; ranks are frequencies, ids are spread. */
export function termOf(rank: number): number {
  return Math.imul(rank + 1, 0x9e3779b1) >>> 0;
}

export interface CorpusOptions {
  readonly rows: number;
  readonly seed: number;
  /** The share of rows whose values follow from no length. */
  readonly rawShare?: number;
}

/** So many terms are in four of ten rows each: more than fit into the matrix. */
const FREQUENT_TERMS = 24;
/** A few rows say one word so often that the matrix cannot count it. */
const REPEATED_SHARE = 0.02;
const REPETITIONS = 20;

/** Rows whose other term ranks are about Zipf's, every third one much like the row before it. */
export function corpusOf({ rows, seed, rawShare = 0 }: CorpusOptions): SparseVector[] {
  const random = seededRandom(seed);
  const vectors: SparseVector[] = [];
  let ranks: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    const terms = 5 + Math.floor(random() * 30);
    const drawn = () => Math.floor(random() < 0.6 ? FREQUENT_TERMS * random() : 3_000 * random() ** 3);
    ranks =
      random() < 0.33 && ranks.length > 0
        ? [...ranks.slice(1), drawn()]
        : Array.from({ length: terms }, drawn);
    if (random() < REPEATED_SHARE)
      ranks = [...ranks, ...Array.from({ length: REPETITIONS }, () => ranks[0] ?? 0)];
    vectors.push(vectorOf(ranks, random() < rawShare ? random : null));
  }
  return vectors;
}

function vectorOf(ranks: readonly number[], random: (() => number) | null): SparseVector {
  const counts = new Map<number, number>();
  for (const rank of ranks) counts.set(termOf(rank), (counts.get(termOf(rank)) ?? 0) + 1);
  const indices = Uint32Array.from(counts.keys()).sort();
  const factor = lengthFactorOf(ranks.length);
  const values = Float32Array.from(indices, (id) =>
    random === null ? termWeightOf(counts.get(id) ?? 1, factor) : random() * 5,
  );
  return { indices, values };
}

/** Pieces in memory; those whose key is in `missing` cannot be read. */
export function createPieceStore() {
  const bytesOf = new Map<string, Uint8Array>();
  const missing = new Set<string>();
  const rounds: number[] = [];
  const written: Piece[] = [];
  const keyOf = ({ volume, offset }: Piece) => `${volume}:${offset}`;
  let volume = 0;
  let end = 0;
  const writer: PieceWriter = {
    write(file, bytes) {
      if (end + bytes.length > VOLUME_BYTES_MAX) {
        volume += 1;
        end = 0;
      }
      const piece = { file, volume, offset: end, length: bytes.length, checksum: crc32c(bytes) };
      end += bytes.length;
      bytesOf.set(keyOf(piece), bytes.slice());
      written.push(piece);
      return Promise.resolve(piece);
    },
  };
  const read: ReadPieces = (pieces) => {
    rounds.push(pieces.length);
    const found = pieces.map((piece) =>
      missing.has(keyOf(piece)) ? null : (bytesOf.get(keyOf(piece)) ?? null),
    );
    return Promise.resolve(found);
  };
  return { writer, read, missing, rounds, written, keyOf };
}

export interface ExhaustiveOptions {
  readonly wanted: number;
  readonly admitted: Bitmap | null;
  readonly groupOf: ((row: number) => number) | null;
}

/** The postings of each term as an exhaustive search reads them. */
export function createExhaustive(
  vectors: readonly SparseVector[],
): (query: SparseVector, options: ExhaustiveOptions) => RowHit[] {
  const postings = new Map<number, { readonly rows: number[]; readonly values: number[] }>();
  vectors.forEach(({ indices, values }, row) =>
    indices.forEach((id, i) => {
      const list = postings.get(id) ?? { rows: [], values: [] };
      list.rows.push(row);
      list.values.push(values[i] ?? 0);
      postings.set(id, list);
    }),
  );
  const scores = createSparseScores();
  return (query, { wanted, admitted, groupOf }) => {
    const scored = scores.score(query, {
      slots: vectors.length,
      admits: (row) => admitted === null || hasBit(admitted, row),
      forEach: (term, visit) => {
        const { rows, values } = postings.get(term) ?? { rows: [], values: [] };
        rows.forEach((row, i) => visit(row, values[i] ?? 0));
      },
    });
    const best = rank(scored, { limit: wanted, groupOf, compareTies: (left, right) => left - right });
    return best.map(({ slot, score }) => ({ row: slot, score }));
  };
}

/** A query of terms with these ranks, weighted like BM25: the rarer, the heavier. */
export function queryOf(ranks: readonly number[], random: () => number): SparseVector {
  const indices = Uint32Array.from(new Set(ranks.map(termOf))).sort();
  return { indices, values: Float32Array.from(indices, () => 0.2 + random() * 6) };
}

/** Each row with the given chance. */
export function sampleOf(rows: number, chance: number, random: () => number): Bitmap {
  const bitmap = createBitmap(rows);
  for (let row = 0; row < rows; row += 1) if (random() < chance) setBit(bitmap, row);
  return bitmap;
}
