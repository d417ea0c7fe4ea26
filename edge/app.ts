/** The edge's routes in one app. */
import { answerProblems, requestIds } from "@kattegat/protocol/hono/problems.ts";
import { Hono } from "hono";
import { createEdge, type EdgeParts } from "./edge.ts";
import { allowSearchFromPages } from "./http/cross-origin.ts";
import { randomHex } from "./http/trace.ts";
import { coldRoutes } from "./routes/cold.ts";
import { digestRoutes } from "./routes/digests.ts";
import { documentRoutes } from "./routes/documents.ts";
import { healthRoutes } from "./routes/health.ts";
import { holdingRoutes } from "./routes/holdings.ts";
import { networkRoutes } from "./routes/network.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { searchRoutes } from "./routes/search.ts";

export function createApp(parts: EdgeParts): Hono {
  const edge = createEdge(parts);
  const app = new Hono();
  app.use(requestIds(() => randomHex(32)));
  app.use(async (context, next) => {
    const startedAt = parts.now();
    await next();
    const route = routeOf(context.req.path);
    parts.metrics.count("kattegat_edge_requests_total", {
      route,
      method: methodOf(context.req.method),
      status: String(context.res.status),
    });
    parts.metrics.observe("kattegat_edge_request_seconds", { route }, (parts.now() - startedAt) / 1_000);
  });
  answerProblems(app, parts.report);
  for (const path of ["/v1/search", "/v1/search:stream", "/v1/openapi.json"])
    app.use(path, allowSearchFromPages);
  searchRoutes(app, edge);
  documentRoutes(app, edge);
  networkRoutes(app, edge);
  openApiRoutes(app, edge);
  healthRoutes(app, edge);
  coldRoutes(app, edge);
  holdingRoutes(app, edge);
  digestRoutes(app, edge);
  return app;
}

/** A closed list, so that no id becomes a label. */
function routeOf(path: string): string {
  const known =
    /^\/(?:v1\/(?:search(?::stream)?|documents(?::batch)?|receipts|network|openapi\.json)|healthz|readyz|metrics|internal\/cold|internal\/digests|internal\/holdings|internal\/watermark)(?=\/|$)/;
  return known.exec(path)?.[0] ?? "other";
}

function methodOf(method: string): string {
  return ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].includes(method) ? method : "other";
}
