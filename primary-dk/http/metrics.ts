/** What the primary counts for Prometheus. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Primary } from "../primary.ts";

export interface Metrics {
  readonly searchSeconds: Histogram;
  readonly writes: Counter<"outcome">;
  render(primary: Primary | null): Promise<string>;
}

export function createMetrics(): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register, prefix: "kattegat_" });
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name: `kattegat_primary_${name}`, help, labelNames, registers: [register] });
  const sequence = gauge("sequence", "Sequence that this process has applied.");
  const tiers = gauge("tier_documents", "Documents of each tier.", ["tier"]);
  const moving = gauge("moving_documents", "Documents whose move is not confirmed yet.");
  const passages = gauge("index_passages", "Passages in the memory of this site.");
  const cold = gauge(
    "cold_passages",
    "Cold passages that no edge may hold: in the base on the disk, in the tail in memory.",
    ["part"],
  );
  const dead = gauge("cold_dead_documents", "Documents of the base that must not be found any more.");
  const bytes = gauge("index_bytes", "Bytes of the index in the memory of this site.");
  const own = gauge(
    "own_copies",
    "Documents of the index that were found other than in Postgres since the start, those that were repaired, those of the last pass that were not.",
    ["fate"],
  );
  const unmatched = new Counter({
    name: "kattegat_primary_unmatched_refusals_total",
    help: "Changes that a site refused and this log does not have: of a former reign, or a wrong report.",
    labelNames: ["site", "reign"],
    registers: [register],
  });
  return {
    searchSeconds: new Histogram({
      name: "kattegat_primary_search_seconds",
      help: "Time of a search at this site.",
      registers: [register],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    }),
    writes: new Counter({
      name: "kattegat_primary_writes_total",
      help: "Writes by outcome.",
      labelNames: ["outcome"],
      registers: [register],
    }),
    async render(primary) {
      if (primary !== null) {
        const { counts, index } = primary.memory();
        unmatched.reset();
        for (const { count, ...labels } of primary.confirmations.unmatched.counts)
          unmatched.inc(labels, count);
        sequence.set(Number(primary.applied.head.fence.sequence));
        for (const tier of TIER_NAMES) tiers.set({ tier }, counts.documents(tier));
        moving.set(counts.moving);
        cold.set({ part: "base" }, index.base?.open.table.rows ?? 0);
        cold.set({ part: "tail" }, index.tailPassages);
        dead.set(index.base?.dead ?? 0);
        passages.set(index.index.size);
        const compared = primary.comparisons.get(primary.site)?.comparison;
        own.set({ fate: "found" }, compared?.found ?? 0);
        own.set({ fate: "repaired" }, compared?.repaired ?? 0);
        own.set({ fate: "unhealed" }, compared?.unhealed ?? 0);
        bytes.set(Object.values(index.index.memoryBytes()).reduce((sum, part) => sum + part, 0));
      }
      return await register.metrics();
    },
  };
}
