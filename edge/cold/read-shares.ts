/** How many reads each file of a base may have of what a search may still make. */
import { BASE_FILES, type BaseFile } from "@kattegat/engine/cold/base/piece.ts";
import { WAITING_CONNECTIONS_MAX } from "./connections.ts";
import type { Subrequests } from "./subrequests.ts";

/** What is left is shared among the files to come in this proportion: what 99 of 100 searches need of postings, and half of what they would use of the others. */
const NEEDS: Readonly<Record<BaseFile, number>> = { columns: 12, codes: 9, postings: 14, rows: 17 };
/** In this order; the words may need a second round beside the rows. */
const ORDER: readonly BaseFile[] = ["columns", "codes", "postings", "rows"];
/** Of what is left when the vectors' half plans its rows: for a second round of postings and the hits of the best rows by words. */
const KEPT_FOR_WORDS = 8;
const KEPT_FOR_RETRIES = 2;
/** A result that is not cached costs all of its reads again. */
const KEPT_FOR_RESULT = 1;

export interface ReadShares {
  /** How many reads of a file a search may plan with now; some are kept for what cannot be planned. */
  planned(file: BaseFile): number;
  /** How many reads of a file may be made now, which is then no longer one to come. */
  begin(file: BaseFile): number;
}

/**
 * @param files - which ones the search may come to read.
 * @param hasOthers - whether reads beyond the free connections go to other invocations, whose calls count too.
 */
export function createReadShares(
  subrequests: Subrequests,
  { files = BASE_FILES, hasOthers }: { readonly files?: readonly BaseFile[]; readonly hasOthers: boolean },
): ReadShares {
  const toCome = new Set(files);
  /** What the best rows by words show is read as soon as they are known. */
  let areWordsDone = !toCome.has("postings");

  /** All of what is left for the last file. */
  function shareOf(file: BaseFile): number {
    const later = ORDER.slice(ORDER.indexOf(file) + 1).filter((next) => toCome.has(next));
    const left = subrequests.allowance(KEPT_FOR_RESULT);
    const needs = later.reduce((sum, next) => sum + NEEDS[next], NEEDS[file]);
    return Math.min(left, Math.ceil((left * NEEDS[file]) / needs));
  }

  /** So many, with the calls for those that are made elsewhere. */
  function readsWithin(share: number): number {
    const here = hasOthers ? subrequests.connections.free : share;
    if (share <= here) return share;
    return here + Math.floor(((share - here) * WAITING_CONNECTIONS_MAX) / (WAITING_CONNECTIONS_MAX + 1));
  }

  return {
    planned(file) {
      const kept = file !== "rows" ? 0 : areWordsDone ? KEPT_FOR_RETRIES : KEPT_FOR_WORDS;
      return readsWithin(Math.max(0, shareOf(file) - kept));
    },
    begin(file) {
      const most = readsWithin(shareOf(file));
      toCome.delete(file);
      if (file === "rows") areWordsDone = true;
      return most;
    },
  };
}
