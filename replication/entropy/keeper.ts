/** Compares every site with what is planned there, one after the other, for as long as replication runs. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { encodeKey, NOT_COMPARED, SUSPECTS_MAX, type Comparison } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { StreamOptions } from "../run-stream.ts";
import type { MonitorOptions, StreamStatus } from "../stream-status.ts";
import { compareSite, type CompareOptions } from "./compare.ts";
import type { Fault } from "@kattegat/engine/digests/judge.ts";
import { ReadWindow } from "./read-window.ts";
import { createRepairBudget, type RepairBudget } from "@kattegat/engine/digests/repair-budget.ts";
import type { Repairer } from "./source.ts";

/** A site that is further behind has other work, and most of its differences are only late. */
const LAG_CHANGES_MAX = 5_000;

/** A store is read on while fewer wait to be looked at. */
const SUSPECTS_KEPT_MAX = 4 * SUSPECTS_MAX;

/** What may be spent on comparing. */
export interface EntropyPace {
  /** Each site is compared once in so long, if the bytes allow it. */
  readonly everyMs: number;
  readonly bytesPerSecond: number;
  /** Of each site. */
  readonly repairsPerMinute: number;
}

export interface ComparedSite extends Omit<CompareOptions, "turn" | "suspects" | "window"> {
  /** Bytes that its comparisons have cost since the start. */
  bytes(): number;
  /** Bytes that were read of its store besides, where replication does that. */
  scrubbedBytes(): number;
}

export interface Keeper {
  comparisons(): ReadonlyMap<string, Comparison>;
  /** Compares one site once; what it finds is repaired as far as the budget goes. */
  round(site: string, signal: AbortSignal): Promise<readonly Fault[]>;
  /** Resolves when the signal has aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface KeeperOptions {
  readonly sites: readonly ComparedSite[];
  readonly repairer: Repairer;
  readonly pace: EntropyPace;
  readonly streams: () => readonly StreamStatus[];
  readonly now: () => number;
  readonly sleep: StreamOptions["sleep"];
  readonly log: MonitorOptions["log"];
}

interface Kept {
  readonly site: ComparedSite;
  readonly budget: RepairBudget;
  readonly window: ReadWindow;
  /** Keys of documents to look at: a scrub tells of each once a pass. */
  readonly suspects: Set<string>;
  turn: number;
  comparison: Comparison;
}

export function createKeeper(options: KeeperOptions): Keeper {
  const { pace, now, sleep, log, repairer } = options;
  const kept = new Map<string, Kept>(
    options.sites.map((site) => [
      site.held.site,
      {
        site,
        budget: createRepairBudget({ ...pace, now }),
        window: new ReadWindow(),
        suspects: new Set(),
        turn: 0,
        comparison: NOT_COMPARED,
      },
    ]),
  );

  async function round(id: string, signal: AbortSignal): Promise<readonly Fault[]> {
    const one = kept.get(id);
    if (one === undefined) return [];
    const asleep = whyNot(id, options.streams());
    const faults = asleep === null ? await compared(one, { options, signal }) : [];
    if (asleep !== null) one.comparison = { ...one.comparison, ...asleep };
    await report(id, signal);
    return faults;
  }

  async function report(id: string, signal: AbortSignal): Promise<void> {
    const comparison = kept.get(id)?.comparison;
    if (comparison === undefined) return;
    await repairer.report(id, comparison, signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ target: id, err: error }, "the comparison could not be reported");
    });
  }

  return {
    comparisons: () => new Map([...kept].map(([id, { comparison }]) => [id, comparison])),
    round,
    async run(signal) {
      // The sites share the time, so that no two are compared at once; each pays for itself.
      const pauseMs = pace.everyMs / Math.max(1, kept.size);
      const paidAtMs = new Map<string, number>();
      while (!signal.aborted) {
        for (const [id, { site }] of kept) {
          const before = site.bytes();
          if (now() >= (paidAtMs.get(id) ?? 0)) await round(id, signal);
          else await report(id, signal);
          const paidMs = ((site.bytes() - before) / pace.bytesPerSecond) * 1_000;
          if (paidMs > 0) paidAtMs.set(id, now() + paidMs);
          await sleep(pauseMs, signal);
          if (signal.aborted) return;
        }
        if (kept.size === 0) await sleep(pace.everyMs, signal);
      }
    },
  };
}

interface RoundOptions {
  readonly options: KeeperOptions;
  readonly signal: AbortSignal;
}

async function compared(one: Kept, { options, signal }: RoundOptions): Promise<readonly Fault[]> {
  const { now, log, repairer } = options;
  const { site, budget, window } = one;
  const id = site.held.site;
  const before = one.comparison;
  one.comparison = { ...before, state: "comparing" };
  // Before anything can fail: a round that cannot be ended is not begun again at the same place.
  one.turn += 1;
  try {
    const detail = await scrubbed(one, { options, signal });
    const suspects = [...one.suspects];
    const { faults, pending, looked, isComplete } = await compareSite(
      { ...site, suspects, turn: one.turn, window },
      signal,
    );
    for (const key of looked) one.suspects.delete(key);
    budget.parked(parkedAt(id, options.streams()));
    const { now: order, unhealed: later } = budget.take(faults);
    // Digests tell nothing of damage: such a copy is looked at until it is right, whatever becomes of its repair.
    for (const { kind, document_id: document } of faults)
      if (kind === "corrupted") one.suspects.add(encodeKey(keyOf(document)));
    const { repairs, failed } =
      order.length === 0
        ? { repairs: [], failed: [] }
        : await repairer.repair({ site: id, faults: [...order] }, signal);
    budget.written(repairs);
    for (const { code } of failed) log.warn({ target: id, code }, "a repair could not be written");
    for (const { kind, detail: why } of order) log.warn({ target: id, kind, detail: why }, "repairs a copy");
    one.comparison = {
      state: faults.length + pending + window.unread === 0 ? "equal" : "different",
      detail,
      compared_at: isComplete ? new Date(now()).toISOString() : before.compared_at,
      rounds: before.rounds + 1,
      found: before.found + order.length,
      repaired: before.repaired + repairs.length,
      pending,
      unhealed: later + failed.length,
      unread: window.unread,
      bytes: site.bytes(),
      scrubbed_bytes: site.scrubbedBytes(),
    };
    return faults;
  } catch (error) {
    const isUnread = window.unread > before.unread;
    if (!signal.aborted && (isUnread || !isExpected(error)))
      log.warn({ target: id, err: error, unread: window.unread }, "comparing failed");
    const isEarly = error instanceof KattegatError && error.code === "not_ready";
    one.comparison = {
      ...before,
      state: isEarly ? "not_ready" : "unavailable",
      detail: messageOf(error),
      unread: window.unread,
      bytes: site.bytes(),
      scrubbed_bytes: site.scrubbedBytes(),
    };
    return [];
  }
}

/** Resolves with why copies could not be read; what they are compared by otherwise is compared all the same. */
async function scrubbed(
  { site: { held }, suspects }: Kept,
  { options: { log }, signal }: RoundOptions,
): Promise<string | null> {
  // What a round cannot look at is found by a later one: reading on would only forget it.
  if (suspects.size >= SUSPECTS_KEPT_MAX) return null;
  try {
    for (const key of await held.scrub(signal)) suspects.add(key);
    return null;
  } catch (error) {
    if (error instanceof KattegatError && error.code === "not_ready") throw error;
    if (!signal.aborted) log.warn({ target: held.site, err: error }, "copies could not be read");
    return `Some of its copies could not be read: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof KattegatError ? error.message : "An error; the log says which.";
}

function parkedAt(id: string, streams: readonly StreamStatus[]): ReadonlySet<string> {
  const its = streams.filter(({ site, is_next: isNext }) => site === id && !isNext);
  return new Set(its.flatMap(({ parked_newest: newest }) => newest.map(({ sequence }) => sequence)));
}

function isExpected(error: unknown): boolean {
  return error instanceof KattegatError && (error.code === "not_ready" || error.code === "unavailable");
}

/** Why a site is left in peace; null when it may be compared. */
function whyNot(id: string, streams: readonly StreamStatus[]): Pick<Comparison, "state" | "detail"> | null {
  const stream = streams.find(({ site, is_next: isNext }) => site === id && !isNext);
  if (stream === undefined || !stream.answers || stream.watermark === null)
    return { state: "unavailable", detail: "It does not answer." };
  if (stream.state === "halted" || stream.state === "backing-off")
    return { state: "unavailable", detail: `Its stream is ${stream.state}.` };
  const lag = stream.lag_changes ?? 0;
  return lag > LAG_CHANGES_MAX
    ? { state: "behind", detail: `It is ${lag} changes behind, at most ${LAG_CHANGES_MAX} are in bounds.` }
    : null;
}
