/** The primary as replication uses it. */
import { FEED_WAIT_MS_MAX, type ConfirmRequest } from "@kattegat/protocol/changes.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { readFeed, type FeedAnswer } from "./feed.ts";
import type { SiteClient } from "./site-client.ts";

/** The feed's own wait comes on top; a batch of the largest documents takes seconds to send. */
const FEED_TIMEOUT_MS = 30_000;
const CONFIRM_TIMEOUT_MS = 5_000;
/** A table of some million terms. */
const STATISTICS_TIMEOUT_MS = 30_000;
/** The rows of a quarter of a million words. */
const EMBEDDING_TIMEOUT_MS = 60_000;

export interface Primary {
  changes(
    request: {
      readonly target: string;
      readonly model: string;
      /** Where the target is. @throws {KattegatError} `divergence` when the log was never there. */
      readonly after: Fence;
      readonly limit: number;
      readonly waitMs: number;
    },
    signal: AbortSignal,
  ): Promise<FeedAnswer>;
  confirm(report: ConfirmRequest, signal: AbortSignal): Promise<void>;
  statistics(
    signal: AbortSignal,
  ): Promise<{ readonly version: string; readonly bytes: Uint8Array<ArrayBuffer> }>;
  /** Resolves with an object of a trained embedding that the network names. */
  embedding(name: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export function createPrimary(client: SiteClient): Primary {
  return {
    changes({ target, model, after, limit, waitMs }, signal) {
      const wait = Math.min(waitMs, FEED_WAIT_MS_MAX);
      const query = new URLSearchParams({
        target,
        model,
        after: after.sequence,
        epoch: String(after.epoch),
        limit: String(limit),
        wait_ms: String(wait),
      });
      return client.request(
        `/internal/changes?${query}`,
        { timeoutMs: wait + FEED_TIMEOUT_MS, signal },
        (response) => readFeed(response.body ?? noBytes()),
      );
    },
    confirm(report, signal) {
      const headers = { "content-type": "application/json" };
      const request = {
        method: "POST",
        headers,
        body: JSON.stringify(report),
        timeoutMs: CONFIRM_TIMEOUT_MS,
        signal,
      } as const;
      return client.request("/internal/confirm", request, async (response) => {
        await response.arrayBuffer();
      });
    },
    embedding(name, signal) {
      return client.request(
        `/internal/embeddings/${name}`,
        { timeoutMs: EMBEDDING_TIMEOUT_MS, signal },
        async (response) => new Uint8Array(await response.arrayBuffer()),
      );
    },
    statistics(signal) {
      return client.request(
        "/internal/statistics",
        { timeoutMs: STATISTICS_TIMEOUT_MS, signal },
        async (response) => ({
          version: response.headers.get("x-kattegat-statistics-version") ?? "",
          bytes: new Uint8Array(await response.arrayBuffer()),
        }),
      );
    },
  };
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
