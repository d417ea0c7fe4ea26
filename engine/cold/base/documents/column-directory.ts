/** What is resident of the columns: which chunks each one has, with where they are. */
import { ColdFormatError } from "../../format-error.ts";
import { compareTexts, type Rank, RANK } from "./column-value.ts";
import { parseJson } from "./document-frame.ts";
import { decodePieces, type Piece } from "../piece.ts";

/** A key of the payload: `["lang"]`, `["metadata", "kind"]`; `["metadata"]` holds the keys that have no column of their own. */
export type ColumnPath = readonly string[];

/** Neighbouring values of one kind with their documents. */
export interface ColumnChunk {
  readonly rank: Rank;
  readonly values: number;
  /** Documents that have one of the values. */
  readonly documents: number;
  /** The first value's text, cut to `FIRST_CHARACTERS`. */
  readonly first: string;
  /** All values where they are short; otherwise they are a piece. */
  readonly inline: readonly string[] | null;
  readonly valuesPiece: Piece | null;
  readonly listsPiece: Piece;
}

export interface Column {
  readonly path: ColumnPath;
  readonly chunks: readonly ColumnChunk[];
}

export interface ColumnDirectory {
  readonly residentBytes: number;
  readonly columns: readonly Column[];
}

/** Long enough to tell most neighbours apart; where it does not, one chunk more is read. */
export const FIRST_CHARACTERS = 64;

/** A parsed chunk: an object with two pieces, beside its texts. */
const CHUNK_BYTES = 300;

/** Returns the JSON of the directory; the pieces are a table of their own, in the order in which `decodeColumns` takes them. */
export function encodeColumns(columns: readonly Column[]): {
  readonly json: string;
  readonly pieces: readonly Piece[];
} {
  const pieces = columns.flatMap(({ chunks }) => [
    ...chunks.flatMap(({ valuesPiece }) => (valuesPiece === null ? [] : [valuesPiece])),
    ...chunks.map(({ listsPiece }) => listsPiece),
  ]);
  const json = JSON.stringify(
    columns.map(({ path, chunks }) => [
      path,
      chunks.map(({ rank, values, documents, first, inline }) => [
        rank,
        documents,
        ...(inline === null ? [values, first] : [inline]),
      ]),
    ]),
  );
  return { json, pieces };
}

/** Reads the two sections. @throws {ColdFormatError} when they are something else. */
export function decodeColumns(json: Uint8Array, table: Uint8Array): ColumnDirectory {
  const pieces = decodePieces("columns", table);
  const parsed = parseJson(json);
  if (!Array.isArray(parsed)) throw notColumns();
  let next = 0;
  const take = (): Piece => {
    if (next >= pieces.count) throw notColumns();
    next += 1;
    return pieces.at(next - 1);
  };
  const columns = parsed.map((entry: unknown): Column => {
    if (!Array.isArray(entry) || !isTexts(entry[0]) || !Array.isArray(entry[1])) throw notColumns();
    const heads = entry[1].map(headOf);
    const valuesPieces = heads.map(({ inline }) => (inline === null ? take() : null));
    return {
      path: entry[0],
      chunks: heads.map((head, at) => ({
        ...head,
        valuesPiece: valuesPieces[at] ?? null,
        listsPiece: take(),
      })),
    };
  });
  if (next !== pieces.count) throw notColumns();
  const chunks = columns.reduce((sum, column) => sum + column.chunks.length, 0);
  return { residentBytes: json.byteLength * 2 + table.byteLength + chunks * CHUNK_BYTES, columns };
}

/** Returns the places of the chunks of a kind that may hold the value with this text: one, or more where the cut texts are equal. */
export function chunksWith(chunks: readonly ColumnChunk[], rank: Rank, text: string): readonly number[] {
  const wanted = text.slice(0, FIRST_CHARACTERS);
  const places: number[] = [];
  let low = chunks.findIndex((chunk) => chunk.rank === rank);
  if (low === -1) return places;
  let high = chunks.findLastIndex((chunk) => chunk.rank === rank) + 1;
  const end = high;
  // The first chunk that begins with the wanted text or after it.
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareTexts(rank, chunks[middle]?.first ?? "", wanted) < 0) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && chunks[low - 1]?.rank === rank) places.push(low - 1);
  for (let at = low; at < end && compareTexts(rank, chunks[at]?.first ?? "", wanted) === 0; at += 1)
    places.push(at);
  return places;
}

function headOf(value: unknown): Omit<ColumnChunk, "valuesPiece" | "listsPiece"> {
  if (!Array.isArray(value)) throw notColumns();
  const [number, documents, third, first]: readonly unknown[] = value;
  const rank = Object.values(RANK).find((other) => other === number);
  if (rank === undefined || typeof documents !== "number") throw notColumns();
  if (isTexts(third)) return { rank, documents, values: third.length, first: third[0] ?? "", inline: third };
  if (typeof third !== "number" || typeof first !== "string") throw notColumns();
  return { rank, documents, values: third, first, inline: null };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function notColumns(): ColdFormatError {
  return new ColdFormatError("expected a directory of columns, got other bytes");
}
