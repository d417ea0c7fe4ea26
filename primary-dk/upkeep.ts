/** The primary's own work beside requests. */
import type { Primary } from "./primary.ts";
import { retentionRound } from "./retention/retention.ts";
import { retierRound } from "./tiering/usage.ts";

/** A first table within two seconds of the first document, so that queries weigh terms at once. */
const STATISTICS_EVERY_MS = 1_000;
/** Moves end soon after their targets confirm; each round is one indexed query for each class and tier. */
const SETTLE_EVERY_MS = 500;
/** Use is reported every few seconds at most. */
const RETIER_EVERY_MS = 5_000;

/** A document's time ends with a day; a round scans the documents of each class that has a period. */
const RETENTION_EVERY_MS = 600_000;

/** A tail that grew is seen soon; a round that finds nothing due costs nothing. */
const BASE_EVERY_MS = 1_000;

/** With 64 documents a round this bounds what preparing a model takes from writes and searches: some 1,000 documents a second at most. */
const NEXT_EVERY_MS = 50;

/** Starts the rounds; returns what stops them, resolving when the last has ended. */
export function startUpkeep(
  primary: Primary,
  report: (error: unknown, work: string) => void,
): () => Promise<void> {
  const stops = [
    every(
      STATISTICS_EVERY_MS,
      () => primary.statistics.publishWhenDue(),
      (error) => report(error, "statistics"),
    ),
    every(
      SETTLE_EVERY_MS,
      () =>
        primary.memory().counts.moving > 0
          ? primary.confirmations.settle(primary.writer)
          : Promise.resolve(0),
      (error) => report(error, "settle"),
    ),
    every(
      RETIER_EVERY_MS,
      () =>
        retierRound({
          sql: primary.database.sql,
          network: primary.network,
          writer: primary.writer,
          counts: () => primary.memory().counts,
          now: primary.now,
        }),
      (error) => report(error, "re-tier"),
    ),
    every(
      RETENTION_EVERY_MS,
      () =>
        retentionRound({
          sql: primary.database.sql,
          network: primary.network,
          writer: primary.writer,
          now: primary.now,
        }),
      (error) => report(error, "retention"),
    ),
    every(
      BASE_EVERY_MS,
      () => primary.baseUpkeep?.round() ?? Promise.resolve(),
      (error) => report(error, "cold base"),
    ),
    every(
      BASE_EVERY_MS,
      () => primary.nextBaseUpkeep?.round() ?? Promise.resolve(),
      (error) => report(error, "cold base of the model to come"),
    ),
    every(
      NEXT_EVERY_MS,
      () => primary.next?.round(primary.nextBaseUpkeep) ?? Promise.resolve(),
      (error) => report(error, "model to come"),
    ),
  ];
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
