/** How often documents were answered, until the primary is told. */
import { USAGE_DOCUMENTS_MAX, type UsageReport } from "@kattegat/protocol/usage.ts";

/** The primary weighs use over days; a report more often would only be traffic. */
const REPORT_EVERY_MS = 5_000;
/** Distinct documents between two reports; past it only those already counted go on, since use is an estimate. */
const COUNTED_MAX = 10_000;

export interface Usage {
  count(documentIds: Iterable<string>): void;
  /** Sends what was counted when a report is due; a report that fails is forgotten. */
  flush(send: (report: UsageReport) => Promise<unknown>): Promise<void>;
}

export function createUsage({ site, now }: { readonly site: string; readonly now: () => number }): Usage {
  let hits = new Map<string, number>();
  let reportedAt = Number.NEGATIVE_INFINITY;
  return {
    count(documentIds) {
      for (const id of documentIds) {
        const known = hits.get(id);
        if (known !== undefined || hits.size < COUNTED_MAX) hits.set(id, (known ?? 0) + 1);
      }
    },
    async flush(send) {
      if (hits.size === 0 || now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = now();
      const counted = hits;
      hits = new Map();
      const documents = [...counted]
        .toSorted((a, b) => b[1] - a[1])
        .slice(0, USAGE_DOCUMENTS_MAX)
        .map(([id, count]) => ({ id, hits: count }));
      await send({ site, documents }).catch(() => null);
    },
  };
}
