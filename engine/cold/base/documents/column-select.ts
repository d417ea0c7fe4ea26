/** The documents of a column that pass a condition. */
import { type Bitmap, createBitmap } from "../../../index/bitmap.ts";
import { ColdFormatError } from "../../format-error.ts";
import { chunksWith, type Column, type ColumnChunk } from "./column-directory.ts";
import { uniteLists } from "./column-lists.ts";
import type { Probe } from "./column-probe.ts";
import { RANK, type Rank } from "./column-value.ts";
import { parseJson } from "./document-frame.ts";
import { type ReadRaw, roundsOf } from "./document-pieces.ts";
import { complement } from "./document-bitmap.ts";
import type { Piece } from "../piece.ts";

/** Which values of a chunk pass: all, none, or those whose flag is 1. */
type Verdict = boolean | Uint8Array;

/**
 * Returns the documents whose value passes; null when a piece that this needs could not be read.
 *
 * Every document is in exactly one list, the absent ones in a list of their own. So either the lists that pass or those
 * that fail are read, whichever are shorter.
 */
export async function selectByColumn(
  { chunks }: Column,
  probe: Probe,
  { read, documents }: { readonly read: ReadRaw; readonly documents: number },
): Promise<Bitmap | null> {
  const early = new Map<Piece, Uint8Array>();
  const verdicts = await judge(chunks, probe, { read, early });
  if (verdicts === null) return null;
  let balance = 0;
  chunks.forEach(({ listsPiece }, at) => {
    if (verdicts[at] === true) balance += listsPiece.length;
    if (verdicts[at] === false) balance -= listsPiece.length;
  });
  const isInverted = balance > 0;
  const set = createBitmap(documents);
  const wanted = chunks.flatMap((chunk, at) => {
    const verdict = verdicts[at] ?? false;
    return verdict === isInverted ? [] : [{ chunk, flags: verdict instanceof Uint8Array ? verdict : null }];
  });
  for (const round of roundsOf(wanted, ({ chunk }) => chunk.listsPiece.length)) {
    const missing = round.flatMap(({ chunk }) => (early.has(chunk.listsPiece) ? [] : [chunk.listsPiece]));
    const raws = await read(missing);
    if (raws === null) return null;
    missing.forEach((piece, at) => early.set(piece, raws[at] ?? new Uint8Array(0)));
    for (const { chunk, flags } of round) {
      const choice = { lists: chunk.values, flags, flag: isInverted ? 0 : 1, documents } as const;
      uniteLists(early.get(chunk.listsPiece) ?? new Uint8Array(0), choice, set);
      early.delete(chunk.listsPiece);
    }
  }
  return isInverted ? complement(set, documents) : set;
}

/** Returns every chunk's verdict. What names few values reads their chunks' lists in the same round as their values. */
async function judge(
  chunks: readonly ColumnChunk[],
  probe: Probe,
  { read, early }: { readonly read: ReadRaw; readonly early: Map<Piece, Uint8Array> },
): Promise<readonly Verdict[] | null> {
  const lookups = new Map<Rank, ReadonlySet<number> | null>();
  const others = new Map<Rank, boolean>();
  const verdicts: Verdict[] = [];
  const unknown: number[] = [];
  let isLookup = true;
  for (const [at, { rank, inline }] of chunks.entries()) {
    if (inline !== null) {
      verdicts.push(verdictOf(inline.map(probe.test)));
      continue;
    }
    let places = lookups.get(rank);
    if (places === undefined) {
      places = placesOf(chunks, rank, probe);
      lookups.set(rank, places);
      if (places !== null) others.set(rank, probe.testOther(rank));
    }
    verdicts.push(others.get(rank) ?? false);
    if (places !== null && !places.has(at)) continue;
    unknown.push(at);
    if (places === null) isLookup = false;
  }
  const bytesOf = (at: number) =>
    (chunks[at]?.valuesPiece?.length ?? 0) + (isLookup ? (chunks[at]?.listsPiece.length ?? 0) : 0);
  const rounds = roundsOf(unknown, bytesOf);
  for (const round of rounds) {
    const values = round.flatMap((at) => chunks[at]?.valuesPiece ?? []);
    const lists = isLookup && rounds.length === 1 ? round.flatMap((at) => chunks[at]?.listsPiece ?? []) : [];
    const raws = await read([...values, ...lists]);
    if (raws === null) return null;
    lists.forEach((piece, i) => early.set(piece, raws[values.length + i] ?? new Uint8Array(0)));
    round.forEach((at, i) => {
      verdicts[at] = verdictOf(valuesOf(raws[i], chunks[at]?.values ?? 0).map(probe.testValue));
    });
  }
  return verdicts;
}

function placesOf(chunks: readonly ColumnChunk[], rank: Rank, probe: Probe): ReadonlySet<number> | null {
  const named = rank === RANK.absent ? [] : probe.named(rank);
  return named === null ? null : new Set(named.flatMap((text) => chunksWith(chunks, rank, text)));
}

function verdictOf(passed: readonly boolean[]): Verdict {
  if (passed.every((passes) => passes)) return true;
  return passed.some((passes) => passes) && Uint8Array.from(passed, Number);
}

function valuesOf(raw: Uint8Array | undefined, count: number): readonly unknown[] {
  const values = raw === undefined ? null : parseJson(raw);
  if (!Array.isArray(values) || values.length !== count)
    throw new ColdFormatError(`expected ${count} values of a column, got other JSON`);
  return values;
}
