import { ColdFormatError } from "../../format-error.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { ExpectedRecall } from "./expected-recall.ts";
import type { GridVectors } from "./dense-vectors.ts";
import { decodePieces, encodePieces, type Piece, type PieceTable } from "../piece.ts";
import { sectionOf, type Sections } from "../section-file.ts";

/** What a reader keeps of the dense half of a base. */
export interface DenseDirectory {
  readonly rows: number;
  readonly rowsPerBlock: number;
  /** Length of the longest row: bounds hold for no longer one. */
  readonly longest: number;
  readonly lists: DenseLists;
  /** Of unit length. */
  readonly centroids: GridVectors;
  readonly codePieces: PieceTable;
  readonly rowPieces: PieceTable;
  /** What was measured when the base was made; empty for a base that is older than the measuring. */
  readonly recall: readonly ExpectedRecall[];
}

/** One item for each list. */
export interface DenseLists {
  readonly count: number;
  /** First row that is at home in the list; one item more, the number of rows. */
  readonly starts: Uint32Array;
  /** Codes in the list, copies included. */
  readonly entries: Uint32Array;
  /** Mean dot product of home rows and centroid. */
  readonly means: Float32Array;
  /** Cosine of the widest angle between a home row and the centroid, or less. */
  readonly lowest: Float32Array;
}

const HEAD_BYTES = 20;
const LIST_BYTES = 20;
const RECALL = "dense-recall";
const RECALL_BYTES = 8;

/** Returns the resident sections of the dense half, as docs/cold-index.md has them. */
export function encodeDirectory(
  directory: Omit<DenseDirectory, "codePieces" | "rowPieces" | "recall">,
  pieces: { readonly codes: readonly Piece[]; readonly rows: readonly Piece[] },
): Sections {
  const { rows, rowsPerBlock, longest, lists, centroids } = directory;
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  [rows, centroids.dimensions, lists.count, rowsPerBlock].forEach((value, at) => {
    head.setUint32(at * 4, value, true);
  });
  head.setFloat32(16, longest, true);
  const table = new DataView(new ArrayBuffer(lists.count * LIST_BYTES));
  for (let list = 0; list < lists.count; list += 1) {
    const at = list * LIST_BYTES;
    table.setUint32(at, lists.starts[list] ?? 0, true);
    table.setUint32(at + 4, lists.entries[list] ?? 0, true);
    table.setFloat32(at + 8, centroids.scales[list] ?? 0, true);
    table.setFloat32(at + 12, lists.means[list] ?? 0, true);
    table.setFloat32(at + 16, lists.lowest[list] ?? 0, true);
  }
  const { integers } = centroids;
  return new Map([
    ["dense-head", new Uint8Array(head.buffer)],
    ["dense-lists", new Uint8Array(table.buffer)],
    ["dense-centroids", new Uint8Array(integers.buffer, integers.byteOffset, integers.byteLength)],
    ["dense-codes", encodePieces(pieces.codes)],
    ["dense-rows", encodePieces(pieces.rows)],
  ]);
}

/** Returns what the sections hold. @throws {ColdFormatError} when they do not fit together. */
export function decodeDirectory(sections: Sections): DenseDirectory {
  const head = viewOf(sectionOf(sections, "dense-head"), HEAD_BYTES, "dense-head");
  const rows = head.getUint32(0, true);
  const dimensions = head.getUint32(4, true);
  const count = head.getUint32(8, true);
  const rowsPerBlock = head.getUint32(12, true);
  const table = viewOf(sectionOf(sections, "dense-lists"), count * LIST_BYTES, "dense-lists");
  const stored = sectionOf(sections, "dense-centroids");
  viewOf(stored, count * integerBytes(dimensions), "dense-centroids");
  const lists = {
    count,
    starts: new Uint32Array(count + 1).fill(rows),
    entries: new Uint32Array(count),
    means: new Float32Array(count),
    lowest: new Float32Array(count),
  };
  const scales = new Float32Array(count);
  for (let list = 0; list < count; list += 1) {
    const at = list * LIST_BYTES;
    lists.starts[list] = table.getUint32(at, true);
    lists.entries[list] = table.getUint32(at + 4, true);
    scales[list] = table.getFloat32(at + 8, true);
    lists.means[list] = table.getFloat32(at + 12, true);
    lists.lowest[list] = table.getFloat32(at + 16, true);
  }
  const integers = new Int8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  const codePieces = decodePieces("codes", sectionOf(sections, "dense-codes"));
  const rowPieces = decodePieces("rows", sectionOf(sections, "dense-rows"));
  if (codePieces.count !== count || rowsPerBlock === 0 || rowPieces.count !== Math.ceil(rows / rowsPerBlock))
    throw new ColdFormatError("expected a piece for each list and each block of rows");
  return {
    rows,
    rowsPerBlock,
    longest: head.getFloat32(16, true),
    lists,
    centroids: { count, dimensions, integers, scales },
    codePieces,
    rowPieces,
    recall: decodeRecall(sections.get(RECALL)),
  };
}

/** Returns the section of what was measured. */
export function encodeRecall(measured: readonly ExpectedRecall[]): Sections {
  const table = Float32Array.from(measured.flatMap(({ share, recall }) => [share, recall]));
  return new Map([[RECALL, new Uint8Array(table.buffer)]]);
}

function decodeRecall(section: Uint8Array | undefined): readonly ExpectedRecall[] {
  if (section === undefined) return [];
  const count = Math.floor(section.byteLength / RECALL_BYTES);
  const table = viewOf(section, count * RECALL_BYTES, RECALL);
  return Array.from({ length: count }, (_, at) => ({
    share: table.getFloat32(at * RECALL_BYTES, true),
    recall: table.getFloat32(at * RECALL_BYTES + 4, true),
  }));
}

function viewOf(bytes: Uint8Array, expectedBytes: number, name: string): DataView {
  if (bytes.byteLength !== expectedBytes)
    throw new ColdFormatError(`expected ${expectedBytes} bytes of ${name}, got ${bytes.byteLength}`);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
