/** Whether this edge lives, whether it can answer in full. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Hono } from "hono";
import type { Edge } from "../edge.ts";
import { allowOnly } from "../http/methods.ts";
import { within } from "../search/deadline.ts";

/** A check that takes longer is an answer by itself. */
const CHECK_MS_MAX = 1_000;

export function healthRoutes(app: Hono, edge: Edge): void {
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    const checks = [
      edge.primaryReadiness.fault(edge.requestContext(context)),
      ...edge.serving.cold.sites.map((site) => coldReason(edge, site)),
    ];
    const reasons = (await Promise.all(checks)).filter((reason) => reason !== null);
    if (reasons.length > 0)
      throw new KattegatError("not_ready", `${reasons.join("; ")}.`, { retryAfterSeconds: 2 });
    return context.json({ status: "ok" });
  });
  app.get("/metrics", async (context) => {
    await edge.admit(context, "admin");
    const gauges = edge.serving.cold.sites.map((site) => ({
      name: "kattegat_edge_cold_resident_bytes",
      help: "Memory that the opened segments of a cold index take in this isolate.",
      value: edge.serving.cold.index(site)?.residentBytes() ?? 0,
      labels: { site },
    }));
    const breakers = [...edge.settings.sites.keys()].map((site) => ({
      name: "kattegat_edge_site_open",
      help: "1 while a site is not asked because it did not answer.",
      value: edge.sites.stateOf(site).kind === "closed" ? 0 : 1,
      labels: { site },
    }));
    context.header("content-type", "text/plain; version=0.0.4; charset=utf-8");
    return context.body(edge.metrics.render([...gauges, ...breakers]));
  });
  for (const path of ["/healthz", "/readyz", "/metrics"]) allowOnly(app, path, ["GET"]);
}

/** An index without a first generation is ready: it holds all that there is. */
async function coldReason(edge: Edge, site: string): Promise<string | null> {
  const index = edge.serving.cold.index(site);
  if (index === null) return `the bucket of ${site} is not bound`;
  const read = await within(
    index.manifests.read().then(
      (state) => ({ state }),
      () => null,
    ),
    CHECK_MS_MAX,
  );
  if (read === null) return `the manifest of ${site} cannot be read`;
  if (read.state === null) return null;
  const { watermark, watermark_at: at } = read.state.manifest;
  const lagMs = edge.now() - Date.parse(at);
  const isBehind = edge.knowledge.isBefore(watermark);
  return isBehind && lagMs > edge.settings.network.limits.lag_ms_max
    ? `${site} is ${Math.round(lagMs / 1_000)} s behind`
    : null;
}
