/** Who the rows of a base are, in memory: a hundred bytes a document save a read of each candidate's name. */
import type { DocumentPart } from "@kattegat/engine/cold/base/parts.ts";
import type { ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import type { Pacer } from "../pacer.ts";

export interface BaseTable {
  readonly rows: number;
  readonly documents: number;
  /** Undefined for a document that the base has not. */
  numberOf(id: string): number | undefined;
  idOf(document: number): string;
  versionOf(document: number): string;
  epochOf(document: number): number;
  residencyOf(document: number): string;
  ordinalOf(row: number): number;
}

/** @throws {ColdFormatError} when a piece could not be read. */
export async function readTable(
  part: DocumentPart,
  { read, pacer }: { readonly read: ReadPieces; readonly pacer: Pacer },
): Promise<BaseTable> {
  const { rows, documents } = part;
  const ordinals = new Uint32Array(rows);
  const ids = new Array<string>(documents).fill("");
  const versions = new BigInt64Array(documents);
  const epochs = new Int32Array(documents);
  const residencies = new Uint16Array(documents);
  const numbers = new Map<string, number>();
  let row = 0;
  for await (const hit of part.readRows({ from: 0, to: rows }, read)) {
    const document = part.documentOf(row);
    ordinals[row] = hit.ordinal;
    row += 1;
    if (row % 256 === 0) await pacer.breathe();
    if (numbers.has(hit.documentId)) continue;
    numbers.set(hit.documentId, document);
    ids[document] = hit.documentId;
    versions[document] = BigInt(hit.version);
    epochs[document] = hit.epoch;
    residencies[document] = part.classes.indexOf(hit.residency);
  }
  return {
    rows,
    documents,
    numberOf: (id) => numbers.get(id),
    idOf: (document) => ids[document] ?? "",
    versionOf: (document) => String(versions[document] ?? 0n),
    epochOf: (document) => epochs[document] ?? 0,
    residencyOf: (document) => part.classes[residencies[document] ?? 0] ?? "",
    ordinalOf: (row) => ordinals[row] ?? 0,
  };
}
