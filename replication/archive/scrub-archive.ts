/** Reads an archive over and over: its names quickly, its objects slowly. */
import { runScrub, type ScrubOptions } from "@kattegat/engine/digests/run-scrub.ts";
import type { MonitorOptions } from "../stream-status.ts";
import type { ArchiveCopies } from "./archive-copies.ts";

/** One page of a list a second: a million in seventeen minutes. */
const NAMES_PER_SECOND = 1_000;

export interface ArchiveScrubOptions extends Pick<ScrubOptions, "passMsMin" | "now" | "sleep"> {
  readonly objectsPerSecond: number;
  readonly log: MonitorOptions["log"];
}

/** Resolves when the signal has aborted. */
export async function scrubArchive(
  copies: ArchiveCopies,
  { objectsPerSecond, log, ...options }: ArchiveScrubOptions,
  signal: AbortSignal,
): Promise<void> {
  const paced = {
    ...options,
    isBusy: () => copies.isWriting,
    failed: (error: unknown) => log.warn({ target: copies.site, err: error }, "the bucket could not be read"),
  };
  await Promise.all([
    runScrub({ ...paced, scrub: (until) => copies.listOn(until), perSecond: NAMES_PER_SECOND }, signal),
    runScrub({ ...paced, scrub: (until) => copies.readOn(until), perSecond: objectsPerSecond }, signal),
  ]);
}
