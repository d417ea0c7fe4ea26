/** Replication's own HTTP routes. */
import { siteAuth } from "@kattegat/protocol/hono/site-auth.ts";
import { answerProblems, requestIds } from "@kattegat/protocol/hono/problems.ts";
import type { TokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import { Hono } from "hono";
import type { Registry } from "prom-client";
import { unreadiness } from "./readiness.ts";
import type { StreamStatus } from "./stream-status.ts";

export function createApp(options: {
  readonly streams: () => readonly StreamStatus[];
  readonly lagMsMax: number;
  readonly metrics: Registry;
  readonly verifier: TokenVerifier;
  readonly newId: () => string;
  readonly report: (error: unknown, requestId: string) => void;
}): Hono {
  const app = new Hono();
  app.use(requestIds(options.newId));
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", (context) => {
    const reasons = unreadiness(options.streams(), options);
    return context.json({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503);
  });
  app.get("/metrics", async (context) =>
    context.body(await options.metrics.metrics(), 200, { "content-type": options.metrics.contentType }),
  );
  app.get("/internal/status", siteAuth(options.verifier), (context) =>
    context.json({ targets: options.streams() }),
  );
  answerProblems(app, options.report);
  return app;
}
