/** What a regional site measures; labels name no document. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Watermark } from "./apply/watermark.ts";
import type { SiteDigests } from "./digests/site-digests.ts";
import type { NodePool } from "./qdrant/node-pool.ts";

export interface Metrics {
  readonly registry: Registry;
  readonly searches: Histogram<"outcome">;
  readonly batches: Histogram<"outcome">;
  readonly changes: Counter<"kind">;
  readonly refused: Counter<"code">;
}

interface Measured {
  readonly watermark: Watermark;
  readonly digests: Pick<SiteDigests, "passes">;
  readonly pool: NodePool;
}

export function createMetrics(measured: Measured): Metrics {
  const registry = new Registry();
  const registers = [registry];
  gaugesOf(registry, measured);
  const buckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
  return {
    registry,
    searches: new Histogram({
      name: "kattegat_regional_search_seconds",
      help: "Time of a search.",
      labelNames: ["outcome"],
      buckets,
      registers,
    }),
    batches: new Histogram({
      name: "kattegat_regional_apply_seconds",
      help: "Time of a batch of changes.",
      labelNames: ["outcome"],
      buckets,
      registers,
    }),
    changes: new Counter({
      name: "kattegat_regional_changes_total",
      help: "Changes received.",
      labelNames: ["kind"],
      registers,
    }),
    refused: new Counter({
      name: "kattegat_regional_refused_total",
      help: "Changes refused for good.",
      labelNames: ["code"],
      registers,
    }),
  };
}

function gaugesOf(registry: Registry, { watermark, digests, pool }: Measured): void {
  const registers = [registry];
  new Gauge({
    name: "kattegat_regional_watermark_sequence",
    help: "Highest sequence applied without gaps.",
    registers,
    collect() {
      this.set(Number(watermark.known?.watermark.sequence ?? 0));
    },
  });
  new Gauge({
    name: "kattegat_regional_lag_seconds",
    help: "How far the site is behind the primary.",
    registers,
    collect() {
      this.set((watermark.lagMs() ?? 0) / 1_000);
    },
  });
  new Gauge({
    name: "kattegat_regional_qdrant_healthy",
    help: "1 when the node answered last time.",
    labelNames: ["node"],
    registers,
    collect() {
      for (const [place, { healthy }] of pool.health().entries())
        this.set({ node: String(place) }, healthy ? 1 : 0);
    },
  });
  new Gauge({
    name: "kattegat_regional_scrub_passes",
    help: "How often all copies were read since the start.",
    registers,
    collect() {
      this.set(digests.passes);
    },
  });
}
