/** Documents by their ids. */
import { compareCodeUnits } from "../../../index/ranking.ts";
import { ColdFormatError } from "../../format-error.ts";
import { encodeText } from "../../utf8.ts";
import { packText, parseJson } from "./document-frame.ts";
import type { ReadRaw } from "./document-pieces.ts";
import { decodePieces, encodePieces, type Piece, type PieceWriter } from "../piece.ts";

/** A document as its id's piece knows it. */
export interface IdentifiedDocument {
  readonly documentId: string;
  /** Its number in the base. */
  readonly document: number;
  readonly version: string;
  readonly epoch: number;
  /** One for each of its passages, in the order of their rows. */
  readonly ordinals: readonly number[];
}

export interface DocumentIds {
  readonly residentBytes: number;
  /** The documents with these ids, in no order; null when a piece could not be read. */
  find(ids: readonly string[], read: ReadRaw): Promise<readonly IdentifiedDocument[] | null>;
  /** All documents, ordered by id in code units. @throws {ColdFormatError} when a piece could not be read. */
  all(read: ReadRaw): AsyncGenerator<IdentifiedDocument>;
}

/** A look-up reads one piece: with less the resident first ids grow, with more its bytes. */
const PIECE_CHARACTERS = 32_768;
/** Pieces of one round: about two megabytes decompressed. */
const ROUND_PIECES = 64;
/** Characters of an entry beside its id, about. */
const ENTRY_CHARACTERS = 18;
/** Ordinals of a document with the one passage 1: most documents, where a passage is a document. */
const FIRST_ONLY: readonly number[] = [1];

/** Writes the documents; their order is by id whatever the order they come in. */
export async function writeDocumentIds(
  documents: readonly IdentifiedDocument[],
  writer: PieceWriter,
): Promise<{ readonly firsts: Uint8Array; readonly pieces: Uint8Array }> {
  const sorted = documents.toSorted((left, right) => compareCodeUnits(left.documentId, right.documentId));
  const firsts: string[] = [];
  const pieces: Piece[] = [];
  let from = 0;
  let characters = 0;
  for (const [at, { documentId, ordinals }] of sorted.entries()) {
    characters += documentId.length + ENTRY_CHARACTERS + ordinals.length * 2;
    if (characters < PIECE_CHARACTERS && at + 1 < sorted.length) continue;
    pieces.push(await writer.write("columns", packText(pieceText(sorted.slice(from, at + 1)))));
    firsts.push(sorted[from]?.documentId ?? "");
    from = at + 1;
    characters = 0;
  }
  return { firsts: encodeText(JSON.stringify(firsts)), pieces: encodePieces(pieces) };
}

/** Reads the resident upper level. @throws {ColdFormatError} when it is something else. */
export function decodeDocumentIds(firstsSection: Uint8Array, table: Uint8Array): DocumentIds {
  const firsts = parseJson(firstsSection);
  const pieces = decodePieces("columns", table);
  if (!isTexts(firsts) || firsts.length !== pieces.count)
    throw new ColdFormatError("expected the first id of each piece of ids");
  return {
    residentBytes: firstsSection.byteLength * 2 + table.byteLength,
    async find(ids, read) {
      const wanted = new Set(ids);
      const places = new Set<number>();
      for (const id of wanted) {
        const place = pieceOf(firsts, id);
        if (place !== -1) places.add(place);
      }
      const asked = [...places].toSorted((left, right) => left - right);
      const found: IdentifiedDocument[] = [];
      for (let from = 0; from < asked.length; from += ROUND_PIECES) {
        const raws = await read(asked.slice(from, from + ROUND_PIECES).map(pieces.at));
        if (raws === null) return null;
        for (const raw of raws) {
          for (const document of documentsIn(raw)) if (wanted.has(document.documentId)) found.push(document);
        }
      }
      return found;
    },
    async *all(read) {
      for (let from = 0; from < pieces.count; from += ROUND_PIECES) {
        const count = Math.min(ROUND_PIECES, pieces.count - from);
        const raws = await read(Array.from({ length: count }, (_, at) => pieces.at(from + at)));
        if (raws === null) throw new ColdFormatError("expected all pieces of ids, but one could not be read");
        for (const raw of raws) yield* documentsIn(raw);
      }
    },
  };
}

/** The place of the last piece that begins at the id or before it. */
function pieceOf(firsts: readonly string[], id: string): number {
  let low = 0;
  let high = firsts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareCodeUnits(firsts[middle] ?? "", id) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Lists, not objects: the same names would be two thirds of a piece. */
function pieceText(documents: readonly IdentifiedDocument[]): string {
  return JSON.stringify([
    documents.map(({ documentId }) => documentId),
    documents.map(({ document }) => document),
    documents.map(({ version }) => version),
    documents.map(({ epoch }) => epoch),
    documents.map(({ ordinals }) => (ordinals.length === 1 && ordinals[0] === 1 ? 0 : ordinals)),
  ]);
}

function* documentsIn(raw: Uint8Array): Generator<IdentifiedDocument> {
  const lists = parseJson(raw);
  if (!Array.isArray(lists) || !lists.every(Array.isArray)) throw notIds();
  const [ids = [], numbers = [], versions = [], epochs = [], ordinals = []]: readonly (readonly unknown[])[] =
    lists;
  for (const [at, documentId] of ids.entries()) {
    const document = numbers[at];
    const version = versions[at];
    const epoch = epochs[at];
    const places = ordinals[at];
    if (
      typeof documentId !== "string" ||
      typeof document !== "number" ||
      typeof version !== "string" ||
      typeof epoch !== "number"
    )
      throw notIds();
    yield { documentId, document, version, epoch, ordinals: isNumbers(places) ? places : FIRST_ONLY };
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function notIds(): ColdFormatError {
  return new ColdFormatError("expected the lists of a piece of ids, got other JSON");
}
