/** The Worker: reads its bindings, builds the parts, serves. */
import { exports } from "cloudflare:workers";
import scan from "@kattegat/engine/wasm/scan.wasm";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { HEAD_BYTES_MAX } from "@kattegat/engine/embedding/learned/artefact.ts";
import { embeddingKeys, type EmbeddingKeys } from "@kattegat/engine/embedding/learned/artefact-names.ts";
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
import { createResultCache } from "./cold/result-cache.ts";
import { createLearnedQueryEmbedder } from "./embedding/learned-query-embedder.ts";
import { createPlainQueryEmbedder, type QueryEmbedder } from "./embedding/query-embedder.ts";
import { createAuthentication } from "./http/authentication.ts";
import { createRateLimit } from "./http/rate-limit.ts";
import { createKnowledge } from "./knowledge.ts";
import { createMetrics } from "./metrics.ts";
import type { BucketName } from "./other-invocation.ts";
import { readSettings, type EdgeBindings, type EdgeSettings } from "./settings.ts";
import { createSiteClient } from "./sites/site-client.ts";
import { createUsage } from "./usage.ts";
import { createWarmer, type Warmer } from "./warming/warmer.ts";

/** A tail of 40,000 passages; with two bases of 10 MB, the pieces below and a search's 32 MB this stays within an isolate's 128 MB. */
const SEGMENT_BYTES_MAX = 40 * 1_024 * 1_024;
/** Pieces of bases that this isolate read last: two hundred lists' codes. */
const PIECE_BYTES_MAX = 16 * 1_024 * 1_024;
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
  settings: EdgeSettings,
  memory: BlockCache<Uint8Array>,
): QueryEmbedder {
  const { url, model, dimensions } = settings.network.embedding;
  const keys = trainedKeys(settings);
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

/** The objects of the trained embedding; null for other providers. */
function trainedKeys({ network: { embedding } }: EdgeSettings): EmbeddingKeys | null {
  return embedding.provider === "learned" ? embeddingKeys(embedding.model) : null;
}

function coldIndexes(
  bindings: EdgeBindings,
  settings: EdgeSettings,
  memory: BlockCache<Uint8Array>,
): readonly (readonly [ColdIndex, Warmer])[] {
  const globalSite = settings.network.sites.find(
    (site) => site.kind === "edge" && site.zone === "global",
  )?.id;
  const buckets: (readonly [string, R2Bucket, BucketName])[] = [[settings.site, bindings.COLD, "COLD"]];
  if (settings.zone === "eu" && bindings.COLD_GLOBAL !== undefined && globalSite !== undefined)
    buckets.push([globalSite, bindings.COLD_GLOBAL, "COLD_GLOBAL"]);
  const shelves: BaseShelf[] = [];
  return buckets.map(([site, bucket, name], at) => {
    const warmer = createWarmer({
      site,
      openCache: (colo) => caches.open(cacheName("habits", settings, colo)),
      now,
      report,
    });
    const bases = createBaseShelf({
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
        shelves.reduce((sum, shelf, place) => sum + (place === at ? 0 : shelf.residentBytes), 0),
    });
    shelves.push(bases);
    const index = createColdIndex({
      site,
      bucket,
      scanner,
      segmentBytesMax: SEGMENT_BYTES_MAX / buckets.length,
      bases,
      warmer,
      dimensions: settings.network.embedding.dimensions,
      attempt,
      now,
      report,
    });
    return [index, warmer] as const;
  });
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
  const headBytes = trainedKeys(settings) === null ? 0 : HEAD_BYTES_MAX;
  const memory = createBlockCache<Uint8Array>({ bytesMax: PIECE_BYTES_MAX - headBytes });
  const signer = createTokenSigner({
    privateJwk: settings.signingKey,
    issuer: "edge",
    now,
    epoch: knowledge.epoch,
  });
  const indexes = coldIndexes(bindings, settings, memory);
  const app = createApp({
    settings,
    primary: network.sites.find((site) => site.kind === "primary")?.id ?? "primary",
    bucket: bindings.COLD,
    sites: createSiteClient({ urls: settings.sites, signer, fetch: (url, init) => fetch(url, init), now }),
    cold: createColdTier({
      indexes: indexes.map(([index]) => index),
      results: createResultCache({
        open: (colo) => caches.open(cacheName("results", settings, colo)),
        memoryBytesMax: RESULT_BYTES_MAX,
        now,
      }),
      network,
      knowledge,
      zone: settings.zone,
      attempt,
      now,
      report,
      sleep,
    }),
    embedder: embedderOf(bindings, settings, memory),
    authentication: createAuthentication(settings.callerKeys),
    rateLimit: createRateLimit({ requestsPerSecondMax: network.limits.key_requests_per_second_max, now }),
    verifier: createTokenVerifier({ jwks: settings.jwks, site: settings.site, now, epoch: knowledge.epoch }),
    knowledge,
    usage: createUsage({ site: settings.site, now }),
    metrics: createMetrics(),
    now,
    report,
  });
  return { app, warmers: indexes.map(([, warmer]) => warmer) };
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
