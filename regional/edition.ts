/** The copies of a regional site whose vectors are of one model. */
import type { Model } from "@kattegat/config/models.ts";
import type { Network, Site } from "@kattegat/config/network.ts";
import type { Watermark as WatermarkAnswer } from "@kattegat/protocol/changes.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { Removal } from "./qdrant/removal.ts";
import { Applier, TOMBSTONE_LIMITS } from "./apply/applier.ts";
import { Watermark } from "./apply/watermark.ts";
import { SiteDigests } from "./digests/site-digests.ts";
import type { NodePool } from "./qdrant/node-pool.ts";
import { Schema } from "./qdrant/schema.ts";
import { Searcher } from "./search/searcher.ts";

export interface EditionOptions {
  readonly network: Network;
  readonly model: Model;
  readonly site: Site;
  readonly pool: NodePool;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly report: (message: string, details: object) => void;
}

export interface Edition {
  readonly model: Model;
  readonly applier: Applier;
  readonly searcher: Searcher;
  readonly watermark: Watermark;
  /** Null while it is being prepared: nobody reads it over and over, so what the applier tells would only be gathered. */
  readonly digests: SiteDigests | null;
  watermarkAnswer(): Promise<WatermarkAnswer>;
  /** Whether a search may ask for it instead of the one that serves: it is whole, and as fresh as a site has to be. */
  isReady(): boolean;
}

export function createEdition(options: EditionOptions): Edition {
  const { model, network, site } = options;
  const schema = new Schema(options);
  const watermark = new Watermark(schema, options.now);
  const removal = new Removal({ ...options, schema, watermark, limits: network.limits });
  const isServing = model.model === network.embedding.model;
  const digests = isServing ? new SiteDigests({ schema, watermark }) : null;
  const parts = { ...options, schema, watermark };
  return {
    model,
    applier: new Applier({
      ...parts,
      tombstones: TOMBSTONE_LIMITS,
      stored: (outcomes) => digests?.stored(outcomes),
    }),
    searcher: new Searcher(parts),
    watermark,
    digests,
    async watermarkAnswer() {
      const position = await watermark.read();
      const { watermark: at, watermark_at } = position;
      return { site: site.id, watermark: at, watermark_at, removed: removal.latest() };
    },
    isReady() {
      const wholeAt = watermark.known?.whole_at ?? null;
      const lagMs = watermark.lagMs();
      if (wholeAt === null || lagMs === null || watermark.known === null) return false;
      const isWhole = compareSequences(watermark.known.watermark.sequence, wholeAt) >= 0;
      return isWhole && lagMs <= network.limits.lag_ms_max;
    },
  };
}
