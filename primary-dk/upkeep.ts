/** The primary's own work beside requests. */
import type { Primary } from "./primary.ts";
import type { TierCounts } from "./tiering/counts.ts";
import { retentionRound } from "./retention/retention.ts";
import { retierRound } from "./tiering/usage.ts";

/** A first table within two seconds of the first document, so that queries weigh terms at once. */
const STATISTICS_EVERY_MS = 1_000;
/** Moves end soon after their targets confirm; each round is one indexed query for each class and tier. */
const SETTLE_EVERY_MS = 500;
/** Use is reported every few seconds at most. */
const RETIER_EVERY_MS = 5_000;

/** What was recorded is signed so soon; an audit that needs it at once makes one itself. */
const CHECKPOINT_EVERY_MS = 10_000;

/** With 2,000 documents a round a million is compared in four minutes. */
const PLACING_EVERY_MS = 500;

/** A deletion waits so long for its key to be destroyed, with others of the same moment. */
const KEYS_EVERY_MS = 1_000;
/** A receipt waits for other sites longer. */
const REMOVAL_EVERY_MS = 1_000;

/** A document's time ends with a day; a round scans the documents of each class that has a period. */
const RETENTION_EVERY_MS = 600_000;

/** A tail that grew is seen soon; a round that finds nothing due costs nothing. */
const BASE_EVERY_MS = 1_000;

/** So often a part of the planned copies is counted anew, and a part of the own ones compared. */
const RECOUNT_EVERY_MS = 500;

/** With 64 documents a round this bounds what preparing a model takes from writes and searches: some 1,000 documents a second at most. */
const NEXT_EVERY_MS = 50;

/** Two turns are the longest that an encoded change, erased or not, stays in memory. */
const RECENT_PUTS_EVERY_MS = 10_000;

/** A backup that is younger than this may pass for the state of the database when it ended. */
const REACHED_EVERY_MS = 2_000;

interface Round {
  readonly work: string;
  readonly everyMs: number;
  readonly round: () => Promise<unknown>;
}

const nothing = (): Promise<null> => Promise.resolve(null);

function roundsOf(primary: Primary): readonly Round[] {
  const { confirmations, database, keyRotation, ownRemoval, ledger, memory, network, now, placing } = primary;
  const { seals, statistics, writer, baseUpkeep, next, nextBaseUpkeep, recount, compareOwn } = primary;
  const { sql } = database;
  const counts = (): TierCounts => memory().counts;
  const forget = (): Promise<null> => {
    primary.recentPuts.turn();
    return nothing();
  };
  const noteReached = (): Promise<void> => primary.reached.note(primary.applied.head.fence);
  const retier = (): Promise<number> => retierRound({ sql, network, seals, writer, counts, now });
  const settle = (): Promise<unknown> => (counts().moving > 0 ? confirmations.settle(writer) : nothing());
  const retain = (): Promise<number> => retentionRound({ sql, network, writer, now });
  return [
    { work: "statistics", everyMs: STATISTICS_EVERY_MS, round: () => statistics.publishWhenDue() },
    { work: "settle", everyMs: SETTLE_EVERY_MS, round: settle },
    { work: "re-tier", everyMs: RETIER_EVERY_MS, round: retier },
    { work: "ledger", everyMs: CHECKPOINT_EVERY_MS, round: () => ledger.checkpoint() },
    { work: "placing", everyMs: PLACING_EVERY_MS, round: () => placing.round() },
    { work: "recent puts", everyMs: RECENT_PUTS_EVERY_MS, round: forget },
    { work: "log head", everyMs: REACHED_EVERY_MS, round: noteReached },
    { work: "keys", everyMs: KEYS_EVERY_MS, round: () => keyRotation.round() },
    { work: "removal", everyMs: REMOVAL_EVERY_MS, round: () => ownRemoval.round() },
    { work: "planned digests", everyMs: RECOUNT_EVERY_MS, round: () => recount.round() },
    { work: "own copies", everyMs: RECOUNT_EVERY_MS, round: compareOwn },
    { work: "retention", everyMs: RETENTION_EVERY_MS, round: retain },
    { work: "cold base", everyMs: BASE_EVERY_MS, round: () => baseUpkeep?.round() ?? nothing() },
    {
      work: "cold base of the model to come",
      everyMs: BASE_EVERY_MS,
      round: () => nextBaseUpkeep?.round() ?? nothing(),
    },
    {
      work: "model to come",
      everyMs: NEXT_EVERY_MS,
      round: () => next?.round(nextBaseUpkeep) ?? nothing(),
    },
  ];
}

/** Starts the rounds; returns what stops them, resolving when the last has ended. */
export function startUpkeep(
  primary: Primary,
  report: (error: unknown, work: string) => void,
): () => Promise<void> {
  const stops = roundsOf(primary).map(({ work, everyMs, round }) =>
    every(everyMs, round, (error) => report(error, work)),
  );
  return async () => {
    primary.baseUpkeep?.stop();
    primary.nextBaseUpkeep?.stop();
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** A round begins so long after the one before has ended: they never overlap. */
function every(
  waitMs: number,
  round: () => Promise<unknown>,
  report: (error: unknown) => void,
): () => Promise<void> {
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();
  let timer = setTimeout(begin, waitMs);
  function begin(): void {
    running = round()
      .catch(report)
      .then(() => {
        if (!stopped) timer = setTimeout(begin, waitMs);
      });
  }
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
