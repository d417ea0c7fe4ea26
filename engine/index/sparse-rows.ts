import type { SparseVector } from "../lexical/bm25.ts";

/** The sparse vector of each slot, packed: two typed arrays for each slot would double its size. */
export interface SparseRows {
  readonly bytes: number;
  set(slot: number, vector: SparseVector | null): void;
  get(slot: number): SparseVector | null;
}

/** Creates an empty store of sparse vectors. */
export function createSparseRows(): SparseRows {
  const rows: (Uint8Array | null)[] = [];
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    set(slot, vector) {
      bytes -= rows[slot]?.byteLength ?? 0;
      rows[slot] = vector === null ? null : pack(vector);
      bytes += rows[slot]?.byteLength ?? 0;
    },
    get(slot) {
      const row = rows[slot] ?? null;
      return row === null ? null : unpack(row);
    },
  };
}

function pack({ indices, values }: SparseVector): Uint8Array {
  const row = new Uint8Array(indices.length * 8);
  new Uint32Array(row.buffer, 0, indices.length).set(indices);
  new Float32Array(row.buffer, indices.length * 4).set(values);
  return row;
}

function unpack(row: Uint8Array): SparseVector {
  const length = row.byteLength / 8;
  return {
    indices: new Uint32Array(row.buffer, row.byteOffset, length).slice(),
    values: new Float32Array(row.buffer, row.byteOffset + length * 4, length).slice(),
  };
}
