/** The primary's routes. */
import { requestIds, answerProblems } from "@kattegat/protocol/hono/problems.ts";
import { siteAuth } from "@kattegat/protocol/hono/site-auth.ts";
import type { TokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import { Hono } from "hono";
import { notReady, postgresFault, type Primary } from "../primary.ts";
import type { Metrics } from "./metrics.ts";
import { censusRoutes } from "./census.ts";
import { digestRoutes } from "./digests.ts";
import { holdingRoutes } from "./holdings.ts";
import { embeddingRoutes } from "./embedding.ts";
import { documentRoutes } from "./documents.ts";
import { ledgerRoutes } from "./ledger.ts";
import { networkRoutes } from "./network.ts";
import { searchRoutes } from "./search.ts";

/** Readiness is asked every few seconds; Postgres on the same network answers in one. */
const READY_MS_MAX = 1_000;

export interface AppOptions {
  /** The opened primary, or why there is none yet. */
  readonly primary: () => Primary | string;
  readonly verifier: TokenVerifier;
  readonly metrics: Metrics;
  readonly siteUrls: Readonly<Record<string, string>>;
  readonly newId: () => string;
  readonly report: (error: unknown, requestId: string) => void;
}

export interface Variables {
  readonly Variables: { issuer: string };
}

/** Gives a route the opened primary. */
export type OpenedPrimary = () => Primary;

export function createApp(options: AppOptions): Hono<Variables> {
  const app = new Hono<Variables>();
  answerProblems(app, options.report);
  app.use(requestIds(options.newId));
  const opened: OpenedPrimary = () => {
    const primary = options.primary();
    if (typeof primary === "string") throw notReady(primary);
    return primary;
  };
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    const primary = options.primary();
    const reason =
      typeof primary === "string" ? primary : await postgresFault(primary, { timeoutMs: READY_MS_MAX });
    return reason === null
      ? context.json({ status: "ok" })
      : context.json({ status: "not ready", reason }, 503);
  });
  app.get("/metrics", async (context) => {
    const primary = options.primary();
    return context.text(await options.metrics.render(typeof primary === "string" ? null : primary));
  });
  app.use("/internal/*", siteAuth(options.verifier));
  searchRoutes(app, opened, options.metrics);
  documentRoutes(app, opened, options);
  networkRoutes(app, opened, options);
  embeddingRoutes(app, opened);
  ledgerRoutes(app, opened);
  censusRoutes(app, opened);
  holdingRoutes(app, opened, options);
  digestRoutes(app, opened);
  return app;
}
