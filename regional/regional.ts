/** A regional site: an edition for each model of the network. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network, Site } from "@kattegat/config/network.ts";
import type {
  ApplyRequest,
  ApplyResponse,
  Watermark as WatermarkAnswer,
} from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { HoldingLine } from "@kattegat/protocol/holdings.ts";
import type {
  HydrateRequest,
  HydrateResponse,
  SiteSearchRequest,
  SiteSearchResponse,
} from "@kattegat/protocol/site-search.ts";
import type { Watermark } from "./apply/watermark.ts";
import { createEdition, type Edition, type EditionOptions } from "./edition.ts";
import { dropEditions } from "./qdrant/schema.ts";
import { readHoldings } from "./audit/holdings.ts";
import type { SiteDigests } from "./digests/site-digests.ts";
import { notReadyReason } from "./readiness.ts";

export type RegionalOptions = Omit<EditionOptions, "model">;

export interface Regional {
  /** Of the edition that serves. */
  readonly watermark: Watermark;
  search(request: SiteSearchRequest): Promise<SiteSearchResponse>;
  passages(request: HydrateRequest): Promise<HydrateResponse>;
  /** @throws {KattegatError} `not_ready` for changes of a model that the network file does not name. */
  apply(request: ApplyRequest): Promise<ApplyResponse>;
  /** @throws {KattegatError} `not_ready` for a model that the network file does not name. */
  watermarkAnswer(model: string | null): Promise<WatermarkAnswer>;
  /** Drops the copies of all other models; resolves with those. What the network file names stays whatever is asked for. */
  retire(kept: readonly string[]): Promise<readonly string[]>;
  /** What every edition here has, point by point, the editions of models that nobody names included. */
  holdings(): AsyncGenerator<HoldingLine>;
  /**
   * The digests of the edition that serves, which alone is scrubbed.
   *
   * @throws {KattegatError} `not_ready` for another model.
   */
  digests(model?: string): SiteDigests;
  /** Whether changes of the edition that serves are being applied. */
  isBusy(): boolean;
  /** Null when the site may be asked. */
  notReadyReason(): Promise<string | null>;
}

export function createRegional(options: RegionalOptions): Regional {
  const { network, pool, site } = options;
  const editions = modelsOf(network).map((model) => createEdition({ ...options, model }));
  const [serving] = editions;
  if (serving === undefined) throw new TypeError("expected a network with a model");
  const find = (model: string): Edition | null =>
    editions.find((edition) => edition.model.model === model) ?? null;
  const named = (model: string): Edition => {
    const edition = find(model);
    if (edition !== null) return edition;
    const known = editions.map((other) => other.model.model).join(" or ");
    throw new KattegatError(
      "not_ready",
      `Expected copies of the model ${known}, as the network file says; these are of ${model.slice(0, 128)}.`,
    );
  };
  const ready = (): string[] =>
    editions
      .filter((edition) => edition === serving || edition.isReady())
      .map((edition) => edition.model.model);
  return {
    watermark: serving.watermark,
    async search(request) {
      const edition = find(request.model);
      if (edition === null || (edition !== serving && !edition.isReady())) {
        const epoch = serving.watermark.known?.watermark.epoch ?? 0;
        return { site: site.id, model: null, ready: ready(), epoch, tiers: [], dense: [], lexical: [] };
      }
      return { ...(await edition.searcher.search(request)), ready: ready() };
    },
    passages: async (request) =>
      await (find(request.model ?? serving.model.model) ?? serving).searcher.passages(request),
    apply: async (request) => await named(request.head.model).applier.apply(request),
    watermarkAnswer: async (model) => await named(model ?? serving.model.model).watermarkAnswer(),
    retire: (kept) => dropEditions(pool, [...kept, ...editions.map(({ model }) => model.model)]),
    holdings: () => readHoldings(pool, new Map(editions.map((each) => [each.model.model, each.watermark]))),
    digests(model = serving.model.model) {
      const { digests } = named(model);
      if (digests !== null) return digests;
      throw new KattegatError("not_ready", `Copies of ${model} are compared once it serves.`);
    },
    isBusy: () => serving.applier.isBusy(),
    notReadyReason: () => notReadyReason(serving, network),
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
