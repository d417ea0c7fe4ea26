/** The routes of a regional site. */
import { applyRequestSchema, retireRequestSchema } from "@kattegat/protocol/changes.ts";
import { codeOf } from "@kattegat/protocol/errors.ts";
import { operatorOnly, replicationOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { answerProblems, requestIdOf, requestIds } from "@kattegat/protocol/hono/problems.ts";
import { siteAuth } from "@kattegat/protocol/hono/site-auth.ts";
import { streamLines } from "@kattegat/protocol/hono/stream-lines.ts";
import { hydrateRequestSchema, siteSearchRequestSchema } from "@kattegat/protocol/site-search.ts";
import type { TokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import { Hono } from "hono";
import { readBody } from "./body.ts";
import { digestRoutes } from "./digests/routes.ts";
import type { Metrics } from "./metrics.ts";
import type { Regional } from "./regional.ts";

/** A query's vectors with a filter of the most conditions. */
const SEARCH_BODY_BYTES_MAX = 2 * 1_024 * 1_024;
/** One document of 20,000 passages with its vectors is the largest batch; 5 kB a passage. */
const APPLY_BODY_BYTES_MAX = 128 * 1_024 * 1_024;

/** A few names. */
const RETIRE_BODY_BYTES_MAX = 4_096;

export interface AppOptions {
  readonly regional: Regional;
  readonly metrics: Metrics;
  readonly verifier: TokenVerifier;
  readonly newId: () => string;
  readonly report: (error: unknown, requestId: string) => void;
}

export function createApp({
  regional,
  metrics,
  verifier,
  newId,
  report,
}: AppOptions): Hono<{ Variables: { issuer: string } }> {
  const app = new Hono<{ Variables: { issuer: string } }>();
  answerProblems(app, report);
  app.use(requestIds(newId));
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    const reason = await regional.notReadyReason();
    return reason === null
      ? context.json({ status: "ok" })
      : context.json({ status: "not ready", reason }, 503);
  });
  app.get("/metrics", async (context) =>
    context.body(await metrics.registry.metrics(), 200, { "content-type": metrics.registry.contentType }),
  );
  app.use("/internal/*", siteAuth(verifier));
  app.post("/internal/search", async (context) => {
    const request = await readBody(context.req, siteSearchRequestSchema, { bytesMax: SEARCH_BODY_BYTES_MAX });
    return context.json(await timed(metrics.searches, regional.search(request)));
  });
  app.post("/internal/passages", async (context) => {
    const request = await readBody(context.req, hydrateRequestSchema, { bytesMax: SEARCH_BODY_BYTES_MAX });
    return context.json(await regional.passages(request));
  });
  app.post("/internal/apply", replicationOnly, async (context) => {
    const request = await readBody(context.req, applyRequestSchema, { bytesMax: APPLY_BODY_BYTES_MAX });
    for (const { kind } of request.changes) metrics.changes.inc({ kind });
    const answer = await timed(metrics.batches, regional.apply(request));
    for (const { code } of answer.refused) metrics.refused.inc({ code });
    return context.json(answer);
  });
  app.get("/internal/holdings", operatorOnly, (context) =>
    streamLines(context, regional.holdings(), (error) => report(error, requestIdOf(context))),
  );
  digestRoutes(app, regional);
  app.get("/internal/watermark", async (context) =>
    context.json(await regional.watermarkAnswer(context.req.query("model") ?? null)),
  );
  app.post("/internal/editions:retire", replicationOnly, async (context) => {
    const { models } = await readBody(context.req, retireRequestSchema, { bytesMax: RETIRE_BODY_BYTES_MAX });
    return context.json({ retired: await regional.retire(models) });
  });
  return app;
}

async function timed<T>(histogram: Metrics["searches"], work: Promise<T>): Promise<T> {
  const stop = histogram.startTimer();
  try {
    const result = await work;
    stop({ outcome: "ok" });
    return result;
  } catch (error) {
    stop({ outcome: codeOf(error) });
    throw error;
  }
}
