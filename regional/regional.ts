/** The parts of one regional site. */
import type { Network, Site } from "@kattegat/config/network.ts";
import type { Watermark as WatermarkAnswer } from "@kattegat/protocol/changes.ts";
import { Applier } from "./apply/applier.ts";
import { Watermark } from "./apply/watermark.ts";
import type { NodePool } from "./qdrant/node-pool.ts";
import { Schema } from "./qdrant/schema.ts";
import { notReadyReason } from "./readiness.ts";
import { Searcher } from "./search/searcher.ts";

export interface RegionalOptions {
  readonly network: Network;
  readonly site: Site;
  readonly pool: NodePool;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Regional {
  readonly applier: Applier;
  readonly searcher: Searcher;
  readonly watermark: Watermark;
  watermarkAnswer(): Promise<WatermarkAnswer>;
  /** Null when the site may be asked. */
  notReadyReason(): Promise<string | null>;
}

export function createRegional(options: RegionalOptions): Regional {
  const schema = new Schema(options);
  const watermark = new Watermark(schema, options.now);
  const parts = { ...options, schema, watermark };
  return {
    applier: new Applier(parts),
    searcher: new Searcher(parts),
    watermark,
    async watermarkAnswer() {
      const position = await watermark.read();
      return { site: options.site.id, watermark: position.watermark, watermark_at: position.watermark_at };
    },
    notReadyReason: () => notReadyReason(parts),
  };
}

/** @throws {Error} when the network file does not have the site as a regional one. */
export function regionalSiteOf(network: Network, id: string): Site {
  const site = network.sites.find((candidate) => candidate.id === id);
  const known = network.sites.filter(({ kind }) => kind === "regional").map((candidate) => candidate.id);
  if (site?.kind === "regional") return site;
  throw new Error(
    `expected KATTEGAT_SITE to be a regional site of the network file (${known.join(", ")}), got ${id}`,
  );
}
