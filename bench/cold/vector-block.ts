/** Vectors as they come from a file: a bounded run of rows. */

export interface VectorBlock {
  readonly firstRow: number;
  readonly rows: number;
  /** Row-major, `rows` × dimensions. */
  readonly vectors: Float32Array<ArrayBuffer>;
  /** One for each row where the format has names; null where a row's number is its name. */
  readonly ids: readonly string[] | null;
}

export interface VectorFile {
  readonly path: string;
  readonly dimensions: number;
  /** Null where only reading to the end would tell. */
  readonly count: number | null;
  /** Yields all rows in file order, at most `rowsMax` at a time; each call starts at the first row. */
  blocks(rowsMax: number): AsyncIterable<VectorBlock>;
}

/** The file is not what its name promises; the message says where, what was expected, what was found. */
export class VectorFileError extends Error {
  override readonly name = "VectorFileError";
}

/** Encoders give at most a few thousand; a larger number means that the bytes are something else. */
const DIMENSIONS_MAX = 65_536;

/** Returns the number of dimensions. @throws {VectorFileError} for one that no vector has. */
export function checkedDimensions(path: string, dimensions: number): number {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > DIMENSIONS_MAX)
    throw new VectorFileError(`${path}: expected 1 to ${DIMENSIONS_MAX} dimensions, got ${dimensions}`);
  return dimensions;
}
