/** The dense half of a base in memory. */
import { exactDot } from "../../../vector/dot.ts";
import { testScanner } from "../../../vector/scanner.fixture.ts";
import { clusteredVectors } from "../../../vector/vectors.fixture.ts";
import { crc32c } from "../../crc32c.ts";
import { assignHere } from "./cluster-assignment.ts";
import { clusterPassages, type Clustering } from "./cluster.ts";
import { encodeCodes } from "./code-encoder.ts";
import { encodeDense, encodeRows } from "./dense-encoder.ts";
import { createGridVectors, readGridVector, writeGridVector, type GridVectors } from "./dense-vectors.ts";
import type { BaseFile, Piece, PieceWriter, ReadPieces } from "../piece.ts";
import type { Sections } from "../section-file.ts";
import { seededRandom } from "../../../seeded-random.ts";

export interface PieceStore extends PieceWriter {
  /** Every piece that was read, in order. */
  readonly asked: Piece[];
  readonly read: ReadPieces;
  /** Pieces for which this is true are gone. */
  lose(isLost: (piece: Piece) => boolean): void;
}

/** Small enough that small bases have several. */
const VOLUME_BYTES = 100_000;

/** Returns a store that checks checksums as a reader does. */
export function createPieceStore(): PieceStore {
  const bytesOf = new Map<string, Uint8Array>();
  const ends = new Map<BaseFile, { volume: number; offset: number }>();
  const asked: Piece[] = [];
  let isLost: (piece: Piece) => boolean = () => false;
  const keyOf = ({ file, volume, offset }: Piece) => `${file}/${volume}/${offset}`;
  return {
    asked,
    async write(file, bytes) {
      const end = ends.get(file) ?? { volume: 0, offset: 0 };
      const isFull = end.offset > 0 && end.offset + bytes.byteLength > VOLUME_BYTES;
      const at = isFull ? { volume: end.volume + 1, offset: 0 } : end;
      ends.set(file, { volume: at.volume, offset: at.offset + bytes.byteLength });
      const piece = { file, ...at, length: bytes.byteLength, checksum: crc32c(bytes) };
      bytesOf.set(keyOf(piece), bytes.slice());
      return piece;
    },
    async read(pieces) {
      asked.push(...pieces);
      return pieces.map((piece) => {
        const bytes = bytesOf.get(keyOf(piece)) ?? null;
        const isIntact =
          bytes !== null && crc32c(bytes) === piece.checksum && bytes.byteLength === piece.length;
        // A copy at an odd offset, as a part of a larger read is.
        if (!isIntact || isLost(piece)) return null;
        const odd = new Uint8Array(bytes.byteLength + 1);
        odd.set(bytes, 1);
        return odd.subarray(1);
      });
    },
    lose(next) {
      isLost = next;
    },
  };
}

export interface DenseBase {
  readonly vectors: GridVectors;
  readonly clustering: Clustering;
  readonly sections: Sections;
  readonly store: PieceStore;
  /** The vector of a row. */
  vectorOf(row: number): Float32Array;
  /** Every row with its exact score, best first. */
  ranking(query: Float32Array): readonly { readonly row: number; readonly score: number }[];
}

/** Returns the vectors on their grid. */
export function gridOf(vectors: readonly Float32Array[], dimensions: number): GridVectors {
  const grid = createGridVectors(vectors.length, dimensions);
  vectors.forEach((vector, at) => writeGridVector(grid, at, vector));
  return grid;
}

/** Returns vectors around as many centres as there would be lists, with some twins. */
export function passages(count: number, dimensions: number, seed = 1): Float32Array[] {
  const random = seededRandom(seed);
  const vectors = clusteredVectors(count, { dimensions, centres: Math.ceil(count / 60), random });
  return vectors.map((vector, at) => (at % 10 === 9 ? (vectors[at - 1] ?? vector) : vector));
}

/** Builds a base. */
export async function buildDense(vectors: GridVectors): Promise<DenseBase> {
  const scanner = testScanner();
  const clustering = await clusterPassages(vectors, {
    seed: 5,
    scanner,
    assign: assignHere(vectors, scanner),
  });
  const store = createPieceStore();
  const codes = await encodeCodes(vectors, clustering, { writer: store, scanner });
  const rows = await encodeRows(vectors, clustering, { writer: store, beside: () => Promise.resolve() });
  const sections = encodeDense(vectors, clustering, { codes, rows });
  const vectorOf = (row: number) => {
    const vector = new Float32Array(vectors.dimensions);
    readGridVector(vectors, clustering.order[row] ?? 0, vector);
    return vector;
  };
  return {
    vectors,
    clustering,
    sections,
    store,
    vectorOf,
    ranking: (query) =>
      Array.from(clustering.order, (_, row) => ({ row, score: exactDot(query, vectorOf(row)) })).toSorted(
        (a, b) => b.score - a.score || a.row - b.row,
      ),
  };
}
