/** Reads the next page of the feed while the target takes the one before. */
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import type { FeedAnswer } from "./feed.ts";
import type { Primary } from "./primary.ts";
import type { StreamOptions } from "./run-stream.ts";

type Feed = Pick<Primary, "changes">;
type Request = Parameters<Feed["changes"]>[0];

/** A page that nobody has taken for so long leaves the memory: it may hold what has been erased since. */
const AGE_MS_MAX = 10_000;

interface Ahead {
  readonly name: string;
  readonly answer: Promise<FeedAnswer>;
  /** Ends the wait for its age. */
  readonly taken: AbortController;
}

/**
 * One page at most is ahead, and only behind a page that did not reach the log's head: a stream that is level asks when it
 * wants to know.
 */
export function createReadAhead(feed: Feed, sleep: StreamOptions["sleep"]): Feed {
  let ahead: Ahead | null = null;
  const begin = (request: Request, signal: AbortSignal): void => {
    const taken = new AbortController();
    const begun: Ahead = { name: nameOf(request), answer: feed.changes(request, signal), taken };
    // Whoever takes it hears of its failure; one that nobody takes says nothing.
    begun.answer.catch(() => undefined);
    void sleep(AGE_MS_MAX, AbortSignal.any([signal, taken.signal])).then(() => {
      if (ahead === begun) ahead = null;
    });
    ahead = begun;
  };
  return {
    async changes(request, signal) {
      const known = ahead;
      ahead = null;
      known?.taken.abort("taken");
      const answer = await (known?.name === nameOf(request) ? known.answer : feed.changes(request, signal));
      const last = answer.changes.at(-1);
      if (last !== undefined && compareSequences(last.sequence, answer.head.sequence) < 0)
        begin({ ...request, after: { epoch: last.epoch, sequence: last.sequence } }, signal);
      return answer;
    },
  };
}

/** Pages that may stand for each other: a wait is for what a page that is there already has. */
function nameOf({ target, model, after, limit }: Request): string {
  return `${target} ${model} ${after.epoch} ${after.sequence} ${limit}`;
}
