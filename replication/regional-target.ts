/** A regional site as a target. */
import type { Network } from "@kattegat/config/network.ts";
import {
  applyResponseSchema,
  retireResponseSchema,
  watermarkSchema,
  type ApplyRequest,
  type Watermark,
} from "@kattegat/protocol/changes.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import { createRetirement } from "./retirement.ts";
import type { StreamOptions } from "./run-stream.ts";
import type { SiteClient, SiteRequest } from "./site-client.ts";
import type { MonitorOptions } from "./stream-status.ts";
import { openChanges, type Target } from "./target.ts";

const WATERMARK_TIMEOUT_MS = 5_000;
/** A full batch waits for every replica of a Qdrant cluster that may be merging segments. */
const APPLY_TIMEOUT_MS = 60_000;
/** A batch is half a dozen requests to Qdrant, each with its flush; a reader of what was just written waits less than twice this. */
const REST_MS = 200;
/** A collection of a million points is deleted within seconds. */
const RETIRE_TIMEOUT_MS = 60_000;
/** So late copies of a model that nobody names may be dropped. */
const RETIRE_EVERY_MS = 1_000;

export interface RegionalOptions {
  readonly client: SiteClient;
  readonly network: Network;
  /** Of the copies: one of the network's models. */
  readonly model: string;
  readonly now: () => number;
  readonly sleep: StreamOptions["sleep"];
  readonly log: MonitorOptions["log"];
}

export function createRegionalTarget(options: RegionalOptions): Target {
  const { client, network, model } = options;
  const isNext = model !== network.embedding.model;
  const query = new URLSearchParams({ model });
  const retiring = isNext ? null : retiringOf(options);
  async function askWatermark(signal: AbortSignal): Promise<Watermark> {
    const answer = await client.request(
      `/internal/watermark?${query}`,
      { timeoutMs: WATERMARK_TIMEOUT_MS, signal },
      (response) => response.json(),
    );
    return parseShape(watermarkSchema, answer, "internal");
  }
  return {
    site: client.site,
    model,
    isNext,
    restMs: REST_MS,
    watermark: async (signal) => (await askWatermark(signal)).watermark,
    // Collections of a model that is gone may hold anything until they are dropped.
    removed: async (signal) =>
      retiring === null || retiring.hasEnded() ? ((await askWatermark(signal)).removed ?? null) : null,
    async apply({ changes, after, position, positionAt, head }, signal) {
      const { sequence, at, whole_at: wholeAt } = head;
      const body: ApplyRequest = {
        changes: [...openChanges(changes)],
        after,
        watermark: position,
        watermark_at: positionAt,
        head: { sequence, at, model: head.model, ...(wholeAt === undefined ? {} : { whole_at: wholeAt }) },
      };
      const answer = await client.request(
        "/internal/apply",
        { ...jsonRequest(body), timeoutMs: APPLY_TIMEOUT_MS, signal },
        (response) => response.json(),
      );
      return parseShape(applyResponseSchema, answer, "internal");
    },
    ...(retiring === null ? {} : { upkeep: retiring.upkeep }),
  };
}

/** The upkeep of a regional's copies: it keeps none of a model that is gone. */
function retiringOf({ client, network, now, sleep, log }: RegionalOptions): {
  readonly upkeep: NonNullable<Target["upkeep"]>;
  hasEnded(): boolean;
} {
  const retirement = createRetirement({
    network,
    now,
    async retire(kept, signal) {
      const answer = await client.request(
        "/internal/editions:retire",
        { ...jsonRequest({ models: kept }), timeoutMs: RETIRE_TIMEOUT_MS, signal },
        (response) => response.json(),
      );
      const { retired } = parseShape(retireResponseSchema, answer, "internal");
      if (retired.length > 0) log.info({ target: client.site, retired }, "dropped copies of other models");
      return true;
    },
  });
  const upkeep: NonNullable<Target["upkeep"]> = {
    heard: retirement.heard,
    async run(signal) {
      while (!signal.aborted) {
        await retirement.round(signal).catch((error: unknown) => {
          if (!signal.aborted) log.warn({ target: client.site, err: error }, "upkeep failed");
        });
        await sleep(RETIRE_EVERY_MS, signal);
      }
    },
  };
  return { upkeep, hasEnded: retirement.hasEnded };
}

function jsonRequest(body: object): Pick<SiteRequest, "method" | "headers" | "body"> {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
