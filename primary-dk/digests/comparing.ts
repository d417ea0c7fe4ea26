/** What the primary does about the comparison of copies. */
import type { Network } from "@kattegat/config/network.ts";
import { createRepairBudget } from "@kattegat/engine/digests/repair-budget.ts";
import type { Comparison } from "@kattegat/protocol/digests.ts";
import type postgres from "postgres";
import type { Writer } from "../documents/writer.ts";
import type { AppliedLog } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import type { HotIndex } from "../search/hot-index.ts";
import { OwnCopies } from "./own-copies.ts";
import type { PlannedDigests } from "./planned-digests.ts";
import { Recount } from "./recount.ts";
import { writeRepairs } from "./repairs.ts";

export interface Comparing {
  readonly recount: Recount;
  /** Compares a part of the index with Postgres. */
  readonly compareOwn: () => Promise<void>;
  /** How each site's copies compare with what is planned there, as was last said of it, and when. */
  readonly comparisons: Map<string, { readonly comparison: Comparison; readonly atMs: number }>;
}

export function createComparing(options: {
  readonly sql: postgres.Sql;
  readonly site: string;
  readonly network: Network;
  readonly index: () => HotIndex;
  readonly planned: PlannedDigests;
  readonly applied: AppliedLog;
  readonly writer: Writer;
  readonly pacer: Pacer;
  readonly repairsPerMinute: number;
  readonly now: () => number;
}): Comparing {
  const { site, now } = options;
  const comparisons: Comparing["comparisons"] = new Map();
  const own = new OwnCopies({
    ...options,
    budget: createRepairBudget(options),
    repair: (faults) => writeRepairs({ site, faults: [...faults] }, options),
  });
  return {
    recount: new Recount({ ...options, own }),
    async compareOwn() {
      await own.round(now());
      comparisons.set(site, { comparison: own.comparison, atMs: now() });
    },
    comparisons,
  };
}
