/** Which faults are repaired now. */
import { FAULT_KINDS } from "@kattegat/protocol/digests.ts";
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import type { Fault } from "./judge.ts";

const MINUTE_MS = 60_000;
/** A repair that did not help is tried again after that, then after four times as long each time. */
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 3_600_000;
/** Documents whose repairs are remembered, a few hundred kilobytes; the oldest leave first. */
const REMEMBERED_MAX = 10_000;

interface Attempt {
  readonly count: number;
  readonly nextAtMs: number;
}

/** Each site has one. */
export interface RepairBudget {
  /** The faults to repair now, the worst first; the others wait for their turn, or cannot be named in the log. */
  take(faults: readonly Fault[]): { readonly now: readonly Fault[]; readonly unhealed: number };
}

export function createRepairBudget(options: {
  readonly repairsPerMinute: number;
  readonly now: () => number;
}): RepairBudget {
  const attempts = new Map<string, Attempt>();
  let spentAt: readonly number[] = [];
  return {
    take(faults) {
      const nowMs = options.now();
      spentAt = spentAt.filter((at) => at > nowMs - MINUTE_MS);
      const left = options.repairsPerMinute - spentAt.length;
      const isHealable = ({ document_id: id }: Fault): boolean => documentIdSchema.safeParse(id).success;
      const isDue = ({ document_id: id }: Fault): boolean => (attempts.get(id)?.nextAtMs ?? 0) <= nowMs;
      const due = faults
        .filter((fault) => isHealable(fault) && isDue(fault))
        .toSorted((a, b) => FAULT_KINDS.indexOf(a.kind) - FAULT_KINDS.indexOf(b.kind));
      const now = due.slice(0, Math.max(0, left));
      for (const { document_id: id } of now) remember(id, nowMs);
      spentAt = [...spentAt, ...now.map(() => nowMs)];
      return { now, unhealed: faults.length - now.length };
    },
  };

  function remember(id: string, nowMs: number): void {
    const before = attempts.get(id);
    // A document that was well for long has earned a new start.
    const isOld = before === undefined || nowMs > before.nextAtMs + RETRY_MS_MAX;
    const count = isOld ? 0 : before.count;
    attempts.delete(id);
    attempts.set(id, { count: count + 1, nextAtMs: nowMs + Math.min(RETRY_MS_MAX, RETRY_MS * 4 ** count) });
    const [oldest] = attempts.keys();
    if (attempts.size > REMEMBERED_MAX && oldest !== undefined) attempts.delete(oldest);
  }
}
