/** Reading of a bucket that may fail, hang or refuse. */
import { within } from "../search/deadline.ts";
import { createSubrequests, type Subrequests } from "./subrequests.ts";

/** A throttled or failed read is tried once more after this, with jitter, while there is time. */
const RETRY_MS = 25;
/** Four times what an object store needs for 999 reads of 1,000: one that takes longer hangs. */
const ATTEMPT_MS_MAX = 500;
/** A slow connection's; a whole segment takes longer than a piece. */
const BYTES_A_MS_MIN = 20_000;
const ATTEMPTS_MAX = 2;

/** What bounds the reads of one search. */
export interface ReadLimits {
  readonly subrequests: Subrequests;
  /** On the clock of the attempts. */
  readonly endsAt: number;
  /** Of the body that is expected. */
  readonly bytes?: number;
}

/** Says that a read was not made, since the search has no subrequest left for it. */
export class NoSubrequestLeft extends Error {
  override readonly name = "NoSubrequestLeft";
}

/**
 * Makes a read with everything that has to come of it, the body too; rejects with what the last attempt failed with.
 *
 * @throws {NoSubrequestLeft} when an attempt may not be made.
 */
export type Attempt = <T>(read: () => Promise<T>, limits: ReadLimits) => Promise<T>;

export interface AttemptOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (timeMs: number) => Promise<void>;
  readonly report: (error: unknown) => void;
}

export function createAttempt({ now, random, sleep, report }: AttemptOptions): Attempt {
  return async (read, { subrequests, endsAt, bytes = 0 }) => {
    for (let attempt = 1; ; attempt += 1) {
      if (!subrequests.take()) throw new NoSubrequestLeft("every subrequest of this search is made");
      const leftMs = endsAt - now();
      try {
        const answer = await within(
          read().then((value) => ({ value })),
          Math.min(ATTEMPT_MS_MAX + bytes / BYTES_A_MS_MIN, leftMs),
        );
        if (answer !== null) return answer.value;
        throw new Error("the bucket did not answer in time");
      } catch (error) {
        report(error);
        if (attempt === ATTEMPTS_MAX || now() >= endsAt) throw error;
      }
      await sleep(RETRY_MS * (1 + random()));
    }
  };
}

/** Limits of a read that belongs to no search. */
export function unboundLimits(): ReadLimits {
  return { subrequests: createSubrequests(), endsAt: Number.POSITIVE_INFINITY };
}
