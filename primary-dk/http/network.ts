/** Routes between sites. */
import {
  BATCH_CHANGES_MAX,
  FEED_WAIT_MS_MAX,
  confirmRequestSchema,
  type FeedHead,
} from "@kattegat/protocol/changes.ts";
import { modelsOf } from "@kattegat/config/models.ts";
import type { Site } from "@kattegat/config/network.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { replicationOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import { compareSequences, earlierSequence, sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { usageReportSchema } from "@kattegat/protocol/usage.ts";
import type { Hono } from "hono";
import { z } from "zod";
import { parseBytes, readBody } from "../documents/body.ts";
import { readFeed } from "../log/feed.ts";
import { assertOnLog } from "../log/on-log.ts";
import { networkStatus } from "../network/status.ts";
import { withPostgres } from "../postgres/failure.ts";
import { recordUsage } from "../tiering/usage.ts";
import type { Primary } from "../primary.ts";
import type { OpenedPrimary, Variables } from "./app.ts";

/** A thousand ids of 256 characters with their counts. */
const USAGE_BYTES_MAX = 512 * 1_024;
/** With as many refused changes as there may be. */
const CONFIRM_BYTES_MAX = 640 * 1_024;

const feedQuerySchema = z.strictObject({
  target: z.string().min(1).max(32),
  /** Left out: the one that serves. */
  model: z.string().min(1).max(128).optional(),
  after: sequenceSchema,
  /** The reign of the change at `after`; left out by one who has no copy. */
  epoch: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(BATCH_CHANGES_MAX).default(BATCH_CHANGES_MAX),
  wait_ms: z.coerce.number().int().min(0).max(FEED_WAIT_MS_MAX).default(0),
});

export function networkRoutes(
  app: Hono<Variables>,
  opened: OpenedPrimary,
  { siteUrls }: { readonly siteUrls: Readonly<Record<string, string>> },
): void {
  app.get("/internal/changes", replicationOnly, async (context) => {
    const primary = opened();
    const query = parseShape(feedQuerySchema, context.req.query());
    const target = primary.network.sites.find((site) => site.id === query.target);
    if (target === undefined)
      throw new KattegatError("bad_request", "Expected a target that the network file lists.", {
        errors: [{ pointer: "/target", detail: "this site is not known" }],
      });
    const lines = await withPostgres(feedLines(primary, query, { target, signal: context.req.raw.signal }));
    return context.body(lines, 200, { "content-type": "application/x-ndjson" });
  });
  app.post("/internal/confirm", replicationOnly, async (context) => {
    const primary = opened();
    const request = parseBytes(
      confirmRequestSchema,
      await readBody(context.req.raw.body, { bytesMax: CONFIRM_BYTES_MAX }),
    );
    const isTarget = primary.network.sites.some(
      (site) => site.id === request.site && site.id !== primary.site,
    );
    if (!isTarget)
      throw new KattegatError("bad_request", "Expected a target that the network file lists.", {
        errors: [{ pointer: "/site", detail: "this site is no target" }],
      });
    await withPostgres(primary.confirmations.confirm(request));
    return context.body(null, 204);
  });
  app.post("/internal/usage", async (context) => {
    const primary = opened();
    const report = parseBytes(
      usageReportSchema,
      await readBody(context.req.raw.body, { bytesMax: USAGE_BYTES_MAX }),
    );
    await withPostgres(recordUsage(primary.database.sql, report));
    return context.body(null, 204);
  });
  app.get("/internal/statistics", (context) => {
    const { published } = opened().statistics;
    if (published === null)
      throw new KattegatError("not_found", "There are no term statistics yet: no document has been written.");
    return context.body(new Uint8Array(published.bytes), 200, {
      "content-type": "application/octet-stream",
      "x-kattegat-statistics-version": published.version,
      etag: `"${published.version}"`,
    });
  });
  app.get("/internal/network", async (context) => context.json(await networkStatus(opened(), siteUrls)));
}

/** @throws {KattegatError} `divergence` when the target has what this log does not. */
async function feedLines(
  primary: Primary,
  query: z.infer<typeof feedQuerySchema>,
  { target, signal }: { readonly target: Site; readonly signal: AbortSignal },
): Promise<string> {
  const { applied, database, network, next, statistics } = primary;
  const isArchive = target.kind === "archive";
  // An archive keeps no vectors of a model, so that a change of it neither stops the archive nor makes it begin anew.
  const model = isArchive ? network.embedding.model : (query.model ?? network.embedding.model);
  const isNext = next !== null && next.model.model === model;
  if (!isNext && model !== network.embedding.model)
    throw new KattegatError("not_ready", `The primary has no vectors of the model ${model}.`);
  const before = applied.head.fence;
  if (query.epoch !== undefined && query.epoch > before.epoch)
    throw new KattegatError(
      "stale_epoch",
      `The target is of epoch ${query.epoch}; this primary's reign is ${before.epoch}.`,
    );
  if (compareSequences(query.after, before.sequence) > 0) {
    throw new KattegatError(
      "divergence",
      `The target stands at sequence ${query.after}; the log of epoch ${before.epoch} ends at ${before.sequence}.`,
    );
  }
  await assertOnLog(database.sql, { epoch: query.epoch ?? before.epoch, sequence: query.after }, before);
  // What has no vector of the model yet holds back all that the log has behind it.
  const readable = isNext ? next.vectors.released : applied;
  await readable.waitFor(String(BigInt(query.after) + 1n), { timeoutMs: query.wait_ms, signal });
  const { fence, at } = applied.head;
  const upTo = earlierSequence(fence.sequence, readable.head.fence.sequence);
  const vectors = isNext ? "dense_next" : "dense";
  const sealedFor = isArchive ? model : null;
  const request = {
    target: target.id,
    after: query.after,
    upTo,
    limit: query.limit,
    vectors,
    sealedFor,
  } as const;
  const changes =
    compareSequences(upTo, query.after) > 0
      ? await primary.recentPuts.inTurn(`${target.kind} ${vectors}`, () =>
          readFeed(database.sql, request, primary),
        )
      : [];
  const head: FeedHead = {
    kind: "head",
    epoch: fence.epoch,
    sequence: fence.sequence,
    at,
    model,
    ...(isNext ? { whole_at: next.vectors.wholeAt } : {}),
    models: modelsOf(network).map((known) => known.model),
    statistics_version: statistics.published?.version ?? null,
  };
  return [...changes, JSON.stringify(head)].map((line) => `${line}\n`).join("");
}
