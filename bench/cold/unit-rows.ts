/** Rows of a file of vectors, scaled to unit length as every vector is on its way in, some held out as queries. */
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { lengthOf } from "@kattegat/engine/vector/vector-store.ts";
import { rowOf } from "./exact-top.ts";
import type { VectorBlock, VectorFile } from "./vector-block.ts";

const BLOCK_ROWS = 16_384;
const SEED = 3;

export interface UnitRows {
  readonly file: VectorFile & { readonly count: number };
  readonly queries: readonly Float32Array[];
}

/** Holds out `wanted` rows, chosen at random, or all that there are. */
export async function holdOut(file: VectorFile, wanted: number): Promise<UnitRows> {
  const count = file.count ?? (await countRows(file));
  if (count <= wanted)
    throw new RangeError(`expected more than the ${wanted} rows to be held out, got ${count}`);
  const random = seededRandom(SEED);
  const held = new Set<number>();
  while (held.size < wanted) held.add(Math.floor(random() * count));
  const queries: Float32Array[] = [];
  for await (const block of file.blocks(BLOCK_ROWS))
    for (let row = 0; row < block.rows; row += 1)
      if (held.has(block.firstRow + row)) queries.push(unitOf(rowOf(block, file.dimensions, row)));
  return { file: unitFile(file, { count: count - held.size, held }), queries };
}

/** Takes queries from a file of their own. @throws {RangeError} when they have other dimensions. */
export async function withQueries(file: VectorFile, queries: VectorFile, wanted: number): Promise<UnitRows> {
  if (queries.dimensions !== file.dimensions)
    throw new RangeError(
      `${queries.path}: expected ${file.dimensions} dimensions, got ${queries.dimensions}`,
    );
  const count = file.count ?? (await countRows(file));
  const taken: Float32Array[] = [];
  for await (const block of queries.blocks(wanted)) {
    for (let row = 0; row < block.rows; row += 1) taken.push(unitOf(rowOf(block, file.dimensions, row)));
    break;
  }
  return { file: unitFile(file, { count, held: new Set() }), queries: taken };
}

async function countRows(file: VectorFile): Promise<number> {
  let count = 0;
  for await (const { rows } of file.blocks(BLOCK_ROWS)) count += rows;
  return count;
}

/** The rows that are not held out, numbered anew. */
function unitFile(
  file: VectorFile,
  { count, held }: { readonly count: number; readonly held: ReadonlySet<number> },
): VectorFile & { readonly count: number } {
  const { path, dimensions } = file;
  return {
    path,
    dimensions,
    count,
    async *blocks(rowsMax): AsyncGenerator<VectorBlock> {
      let firstRow = 0;
      for await (const block of file.blocks(rowsMax)) {
        let rows = 0;
        for (let row = 0; row < block.rows; row += 1) {
          if (held.has(block.firstRow + row)) continue;
          const vector = rowOf(block, dimensions, row);
          const factor = 1 / (lengthOf(vector) || 1);
          for (let i = 0; i < dimensions; i += 1)
            block.vectors[rows * dimensions + i] = (vector[i] ?? 0) * factor;
          rows += 1;
        }
        if (rows === 0) continue;
        yield { firstRow, rows, vectors: block.vectors.subarray(0, rows * dimensions), ids: null };
        firstRow += rows;
      }
    },
  };
}

function unitOf(vector: Float32Array): Float32Array {
  const factor = 1 / (lengthOf(vector) || 1);
  return vector.map((value) => value * factor);
}
