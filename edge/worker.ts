/** The Worker: reads its bindings, builds the parts, serves. */
import { exports } from "cloudflare:workers";
import { modelsOf, networkWith, type Model } from "@kattegat/config/models.ts";
import scan from "@kattegat/engine/wasm/scan.wasm";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { editionName } from "@kattegat/engine/embedding/edition.ts";
import { RESULT_SECONDS_MAX } from "@kattegat/engine/cold/removal.ts";
import { HEAD_BYTES_MAX } from "@kattegat/engine/embedding/learned/artefact.ts";
import { embeddingKeys } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { createOpenAiEmbedder } from "@kattegat/engine/embedding/openai.ts";
import { createScanner } from "@kattegat/engine/vector/scan.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import type { Hono } from "hono";
import { createApp } from "./app.ts";
import { createBaseShelf, type BaseShelf } from "./cold/base-shelf.ts";
import { createBlockCache, type BlockCache } from "./cold/block-cache.ts";
import { createAttempt } from "./cold/bucket-attempt.ts";
import { createColdIndex, type ColdIndex } from "./cold/cold-index.ts";
import { createColdTier } from "./cold/cold-tier.ts";
import { createResultCache, type ResultCache } from "./cold/result-cache.ts";
import type { Edition } from "./edition.ts";
import { createLearnedQueryEmbedder } from "./embedding/learned-query-embedder.ts";
import { createPlainQueryEmbedder, type QueryEmbedder } from "./embedding/query-embedder.ts";
import { createAuthentication } from "./http/authentication.ts";
import { createRateLimit } from "./http/rate-limit.ts";
import { createKnowledge, type Knowledge } from "./knowledge.ts";
import { createMetrics } from "./metrics.ts";
import type { BucketName } from "./other-invocation.ts";
import { createModelChoice } from "./search/model-choice.ts";
import { readSettings, type EdgeBindings, type EdgeSettings } from "./settings.ts";
import { createSiteClient } from "./sites/site-client.ts";
import { createUsage } from "./usage.ts";
import { createWarmer, type Warmer } from "./warming/warmer.ts";

/** A tail of 40,000 passages; with two bases of 10 MB, the pieces below and a search's 32 MB this stays within an isolate's 128 MB. */
const SEGMENT_BYTES_MAX = 40 * 1_024 * 1_024;
/** Pieces of bases that this isolate read last: two hundred lists' codes. */
const PIECE_BYTES_MAX = 16 * 1_024 * 1_024;
/** What is left of it while two trained embeddings have their heads here. */
const PIECE_BYTES_MIN = 4 * 1_024 * 1_024;
/** Some fifty queries' candidates. */
const RESULT_BYTES_MAX = 4 * 1_024 * 1_024;

const now = (): number => Date.now();
const sleep = (timeMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, timeMs));
const scanner = createScanner(scan);
const edges = new WeakMap<object, BuiltEdge>();

interface BuiltEdge {
  readonly app: Hono;
  readonly warmers: readonly Warmer[];
}

function report(error: unknown): void {
  // oxlint-disable-next-line no-console -- the Worker's log is the console; the message of an unknown error may quote a text, its name may not
  console.error(JSON.stringify({ level: "error", error: error instanceof Error ? error.name : "unknown" }));
}

function embedderOf(
  bindings: EdgeBindings,
  { settings, memory, model: { model, provider, url, dimensions } }: EditionOptions,
): QueryEmbedder {
  const keys = provider === "learned" ? embeddingKeys(model) : null;
  if (keys !== null)
    return createLearnedQueryEmbedder({
      model,
      keys,
      bucket: bindings.COLD,
      elsewhere: async (ranges) => exports.OtherInvocation.read("COLD", ranges),
      memory,
      openCache: (colo) => caches.open(cacheName("pieces", settings, colo)),
      attempt,
      now,
      report,
    });
  if (url === undefined) return createPlainQueryEmbedder(createHashedEmbedder({ dimensions }));
  const apiKey = settings.embeddingKey;
  return createPlainQueryEmbedder(
    createOpenAiEmbedder({
      url,
      model,
      dimensions,
      fetch: (address, init) => fetch(address, init),
      ...(apiKey === null ? {} : { apiKey }),
    }),
  );
}

const attempt = createAttempt({ now, random: Math.random, sleep, report });

interface EditionOptions {
  readonly settings: EdgeSettings;
  readonly model: Model;
  readonly knowledge: Knowledge;
  readonly memory: BlockCache<Uint8Array>;
  readonly results: ResultCache;
  /** The bases of every index in this isolate, which share their room. */
  readonly shelves: ModelShelf[];
}

interface ModelShelf {
  readonly model: string;
  readonly bases: BaseShelf;
}

function coldIndexes(
  bindings: EdgeBindings,
  { settings, model, memory, shelves }: EditionOptions,
): readonly (readonly [ColdIndex, Warmer])[] {
  const globalSite = settings.network.sites.find(
    (site) => site.kind === "edge" && site.zone === "global",
  )?.id;
  const buckets: (readonly [string, R2Bucket, BucketName])[] = [[settings.site, bindings.COLD, "COLD"]];
  if (settings.zone === "eu" && bindings.COLD_GLOBAL !== undefined && globalSite !== undefined)
    buckets.push([globalSite, bindings.COLD_GLOBAL, "COLD_GLOBAL"]);
  return buckets.map(([site, bucket, name]) => {
    const isServing = model.model === settings.network.embedding.model;
    const warmer = createWarmer({
      // Habits of lists: those of another model's bases are others.
      site: isServing ? site : `${site}.${editionName(model)}`,
      openCache: (colo) => caches.open(cacheName("habits", settings, colo)),
      now,
      report,
    });
    const bases: BaseShelf = createBaseShelf({
      bucket,
      elsewhere: async (ranges) => exports.OtherInvocation.read(name, ranges),
      network: settings.network,
      zone: settings.zone,
      memory,
      openCache: (colo) => caches.open(cacheName("pieces", settings, colo)),
      attempt,
      now,
      report,
      othersBytes: () =>
        shelves.reduce((sum, other) => sum + (other.bases === bases ? 0 : other.bases.residentBytes), 0),
      makeRoom() {
        for (const other of shelves) if (other.model !== model.model) other.bases.leave();
      },
    });
    shelves.push({ model: model.model, bases });
    const index = createColdIndex({
      site,
      bucket,
      scanner,
      segmentBytesMax: SEGMENT_BYTES_MAX / (buckets.length * modelsOf(settings.network).length),
      bases,
      warmer,
      model,
      attempt,
      now,
      report,
    });
    return [index, warmer] as const;
  });
}

function editionOf(
  bindings: EdgeBindings,
  options: EditionOptions,
): { readonly edition: Edition; readonly warmers: readonly Warmer[] } {
  const { settings, knowledge, results, model } = options;
  const network = networkWith(settings.network, model);
  const indexes = coldIndexes(bindings, options);
  const cold = createColdTier({
    indexes: indexes.map(([index]) => index),
    results,
    network,
    isNext: model.model !== settings.network.embedding.model,
    knowledge,
    zone: settings.zone,
    attempt,
    now,
    report,
    sleep,
  });
  return {
    edition: { network, cold, embedder: embedderOf(bindings, options) },
    warmers: indexes.map(([, warmer]) => warmer),
  };
}

/** The local network has one cache for all of its locations. */
function cacheName(what: string, { site, isLocal }: EdgeSettings, colo: string): string {
  return `cold-${what}-${site}${isLocal ? `-${colo}` : ""}`;
}

function build(bindings: EdgeBindings): BuiltEdge {
  const settings = readSettings(bindings);
  const { network } = settings;
  const knowledge = createKnowledge();
  // The head of a trained embedding stays resident: it has the room of half of the pieces.
  const models = modelsOf(network);
  const heads = models.filter(({ provider }) => provider === "learned").length;
  const memory = createBlockCache<Uint8Array>({
    bytesMax: Math.max(PIECE_BYTES_MIN, PIECE_BYTES_MAX - heads * HEAD_BYTES_MAX),
  });
  const results = createResultCache({
    open: (colo) => caches.open(cacheName("results", settings, colo)),
    memoryBytesMax: RESULT_BYTES_MAX,
    secondsMax: Math.min(RESULT_SECONDS_MAX, network.limits.cache_seconds_max),
    now,
  });
  const signer = createTokenSigner({
    privateJwk: settings.signingKey,
    issuer: "edge",
    now,
    epoch: knowledge.epoch,
  });
  const shelves: ModelShelf[] = [];
  const [serving, next] = models.map((model) =>
    editionOf(bindings, { settings, model, knowledge, memory, results, shelves }),
  );
  if (serving === undefined) throw new Error("a network has a model");
  const nextModel =
    next === undefined ? null : { model: next.edition.network.embedding.model, cold: next.edition.cold };
  const app = createApp({
    settings,
    primary: network.sites.find((site) => site.kind === "primary")?.id ?? "primary",
    bucket: bindings.COLD,
    scanner,
    sites: createSiteClient({ urls: settings.sites, signer, fetch: (url, init) => fetch(url, init), now }),
    serving: serving.edition,
    next: next?.edition ?? null,
    choice: createModelChoice(nextModel, { now }),
    authentication: createAuthentication(settings.callerKeys),
    rateLimit: createRateLimit({ requestsPerSecondMax: network.limits.key_requests_per_second_max, now }),
    verifier: createTokenVerifier({ jwks: settings.jwks, site: settings.site, now, epoch: knowledge.epoch }),
    knowledge,
    usage: createUsage({ site: settings.site, now }),
    metrics: createMetrics(),
    now,
    report,
  });
  return { app, warmers: [...serving.warmers, ...(next?.warmers ?? [])] };
}

function edgeOf(bindings: EdgeBindings): BuiltEdge {
  const edge = edges.get(bindings) ?? build(bindings);
  edges.set(bindings, edge);
  return edge;
}

export { OtherInvocation } from "./other-invocation.ts";

export default {
  fetch(request: Request, bindings: EdgeBindings, execution: ExecutionContext): Response | Promise<Response> {
    return edgeOf(bindings).app.fetch(request, bindings, execution);
  },
  /** A clock for locations where nobody asks just before their busy hours; it runs in one of them at a time. */
  scheduled(_: ScheduledController, bindings: EdgeBindings, execution: ExecutionContext): void {
    for (const warmer of edgeOf(bindings).warmers) warmer.tick((work) => execution.waitUntil(work));
  },
};
