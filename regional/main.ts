/** Starts a regional site. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { parseNetwork } from "@kattegat/config/load.ts";
import { parseKeySet } from "@kattegat/protocol/key-file.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import pino from "pino";
import { createApp } from "./app.ts";
import { runScrub } from "@kattegat/engine/digests/run-scrub.ts";
import { createMetrics } from "./metrics.ts";
import { NodePool } from "./qdrant/node-pool.ts";
import { createRegional, regionalSiteOf } from "./regional.ts";
import { processSettings } from "./settings.ts";

/** What is in flight gets this long to finish after a signal. */
const STOP_MS_MAX = 4_000;

const settings = processSettings();
const logger = pino({ level: settings.logLevel, base: { site: settings.site } });
const network = parseNetwork(await readFile(settings.configPath, "utf8"), {
  file: settings.configPath,
  read: (path) => readFileSync(path, "utf8"),
});
const site = regionalSiteOf(network, settings.site);
const now = Date.now;
const report = (message: string, details: object): void => logger.warn(details, message);
const pool = new NodePool({
  urls: settings.qdrantUrls,
  apiKey: settings.qdrantApiKey,
  now,
  random: Math.random,
  report,
});
const regional = createRegional({ network, site, pool, now, sleep: (ms) => sleep(ms), report });
const verifier = createTokenVerifier({
  jwks: parseKeySet(await readFile(settings.jwksPath, "utf8"), settings.jwksPath),
  site: site.id,
  now,
  epoch: () => regional.watermark.known?.watermark.epoch ?? 0,
});
const app = createApp({
  regional,
  metrics: createMetrics({ watermark: regional.watermark, digests: regional.digests(), pool }),
  verifier,
  newId: randomUUID,
  report: (error, requestId) => logger.error({ err: error, request_id: requestId }, "a request failed"),
});
/** Longer than the edges keep an idle connection: the side that sends requests is the one to close it. */
const serverOptions = { keepAliveTimeout: 60_000 };
const server = createAdaptorServer({ fetch: app.fetch, serverOptions });
server.on("error", (error) => {
  // Not fatal: whoever has the port now may leave it.
  logger.error({ err: error }, "stopped: the port cannot be used");
  process.exit(1);
});
server.listen(settings.port, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : settings.port;
  // Whoever started this process waits for the line, so no log level may swallow it.
  logger.child({}, { level: "info" }).info({ port }, "listening");
});

const stopping = new AbortController();
void runScrub(
  {
    scrub: () => regional.digests().scrub(),
    perSecond: settings.scrubPointsPerSecond,
    passMsMin: settings.scrubPassMsMin,
    isBusy: regional.isBusy,
    now,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
    failed: (error) => logger.warn({ err: error }, "the scrub begins its pass anew"),
  },
  stopping.signal,
);

function stop(): void {
  stopping.abort();
  setTimeout(() => process.exit(0), STOP_MS_MAX).unref();
  server.close(() => process.exit(0));
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("disconnect", stop);
