/** Which faults are repaired now. */
import { FAULT_KINDS } from "@kattegat/protocol/digests.ts";
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import type { Fault } from "./judge.ts";

const MINUTE_MS = 60_000;
/** A repair that did not help is tried again after that, then after four times as long each time. */
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 3_600_000;
/**
 * Documents whose repairs are remembered, a megabyte or two. One whose wait is over may be forgotten; while none is, no further
 * document is repaired, since what is forgotten would be repaired again at once.
 */
const REMEMBERED_MAX = 10_000;

interface Attempt {
  readonly count: number;
  readonly nextAtMs: number;
  /** Of the change that was to heal it, once it is known. */
  readonly sequence: string | null;
}

/** Each site has one. */
export interface RepairBudget {
  /** The faults to repair now, the worst first; the others wait for their turn, or cannot be named in the log. */
  take(faults: readonly Fault[]): { readonly now: readonly Fault[]; readonly unhealed: number };
  /** The changes that repair them. */
  written(repairs: readonly { readonly document_id: string; readonly sequence: string }[]): void;
  /** Changes that the site has refused for good: bringing the same again helps as little, so it waits the longest time. */
  parked(sequences: ReadonlySet<string>): void;
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
      const unknown = due.filter(({ document_id: id }) => !attempts.has(id)).slice(0, Math.max(0, left));
      makeRoom(unknown.length, { due, nowMs });
      const now: Fault[] = [];
      for (const fault of due) {
        const { document_id: id } = fault;
        const hasRoom = attempts.has(id) || attempts.size < REMEMBERED_MAX;
        if (now.length >= left || !hasRoom) continue;
        remember(id, nowMs);
        now.push(fault);
      }
      spentAt = [...spentAt, ...now.map(() => nowMs)];
      return { now, unhealed: faults.length - now.length };
    },
    written(repairs) {
      for (const { document_id: id, sequence } of repairs) {
        const attempt = attempts.get(id);
        if (attempt !== undefined) attempts.set(id, { ...attempt, sequence });
      }
    },
    parked(sequences) {
      for (const [id, attempt] of attempts)
        if (attempt.sequence !== null && sequences.has(attempt.sequence))
          attempts.set(id, { ...attempt, sequence: null, nextAtMs: options.now() + RETRY_MS_MAX });
    },
  };

  function makeRoom(
    added: number,
    { due, nowMs }: { readonly due: readonly Fault[]; readonly nowMs: number },
  ): void {
    const kept = new Set(due.map(({ document_id: id }) => id));
    let surplus = attempts.size + added - REMEMBERED_MAX;
    for (const [id, { nextAtMs }] of attempts) {
      if (surplus <= 0) return;
      if (nextAtMs > nowMs || kept.has(id)) continue;
      attempts.delete(id);
      surplus -= 1;
    }
  }

  function remember(id: string, nowMs: number): void {
    const before = attempts.get(id);
    // A document that was well for long has earned a new start.
    const isOld = before === undefined || nowMs > before.nextAtMs + RETRY_MS_MAX;
    const count = isOld ? 0 : before.count;
    attempts.delete(id);
    const nextAtMs = nowMs + Math.min(RETRY_MS_MAX, RETRY_MS * 4 ** count);
    attempts.set(id, { count: count + 1, nextAtMs, sequence: null });
  }
}
