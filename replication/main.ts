/** Starts the replication service. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { serve } from "@hono/node-server";
import { parseNetwork } from "@kattegat/config/load.ts";
import { parseKey, parseKeySet } from "@kattegat/protocol/key-file.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import { pino } from "pino";
import { createApp } from "./app.ts";
import { bucketOpener } from "./archive/open-bucket.ts";
import { scrubArchive } from "./archive/archive-scrub.ts";
import { createKeeper } from "./entropy/keeper.ts";
import { createFetch } from "./fetch.ts";
import { createMergeSegments } from "./merge-segments.ts";
import { createMetrics } from "./metrics.ts";
import { createReplication } from "./replication.ts";
import { readSettings } from "./settings.ts";
import { readScanner } from "./scanner.ts";
import { sleep } from "./sleep.ts";
import { createSites } from "./sites.ts";

const settings = readSettings();
const log = pino({ level: settings.LOG_LEVEL, base: { site: settings.KATTEGAT_SITE } });
const network = parseNetwork(await readFile(settings.KATTEGAT_CONFIG, "utf8"), {
  file: settings.KATTEGAT_CONFIG,
  read: (path) => readFileSync(path, "utf8"),
});
const epoch = { known: settings.KATTEGAT_EPOCH };
const now = (): number => Date.now();
const scanner = readScanner();
const signer = createTokenSigner({
  privateJwk: parseKey(await readFile(settings.KATTEGAT_SIGNING_KEY, "utf8"), settings.KATTEGAT_SIGNING_KEY),
  issuer: settings.KATTEGAT_SITE,
  now,
  epoch: () => epoch.known,
});
const stopping = new AbortController();
const { primary, targets, compared, scrubs, repairer } = createSites({
  network,
  urls: settings.KATTEGAT_SITES,
  fetch: createFetch(),
  authorization: signer.authorization,
  cold: {
    scanner,
    now,
    newId: randomUUID,
    sleep,
    log,
    spoolFolder: settings.KATTEGAT_SPOOL,
    basePassagesMin: settings.KATTEGAT_BASE_PASSAGES_MIN,
    mergeSegments: createMergeSegments({ scanner }),
  },
  random: Math.random,
  bucketOf: bucketOpener({
    endpoints: settings.KATTEGAT_ARCHIVES,
    region: settings.AWS_REGION,
    accessKeyId: settings.AWS_ACCESS_KEY_ID,
    secretAccessKey: settings.AWS_SECRET_ACCESS_KEY,
    sessionToken: settings.AWS_SESSION_TOKEN,
  }),
});
const replication = createReplication({
  targets,
  primary,
  now,
  random: Math.random,
  sleep,
  log,
  epochSeen: (seen) => {
    epoch.known = Math.max(epoch.known, seen);
  },
});
const keeper = createKeeper({
  sites: compared,
  repairer,
  pace: {
    everyMs: settings.KATTEGAT_COMPARE_EVERY_MS,
    bytesPerSecond: settings.KATTEGAT_COMPARE_BYTES_PER_SECOND,
    repairsPerMinute: settings.KATTEGAT_REPAIRS_PER_MINUTE,
  },
  streams: replication.status,
  now,
  sleep,
  log,
});
const scrub = {
  objectsPerSecond: settings.KATTEGAT_SCRUB_OBJECTS_PER_SECOND,
  passMsMin: settings.KATTEGAT_SCRUB_PASS_MS_MIN,
  now,
  sleep,
  log,
};
const app = createApp({
  streams: replication.status,
  lagMsMax: network.limits.lag_ms_max,
  metrics: createMetrics(replication.status, keeper.comparisons),
  verifier: createTokenVerifier({
    jwks: parseKeySet(await readFile(settings.KATTEGAT_JWKS, "utf8"), settings.KATTEGAT_JWKS),
    site: settings.KATTEGAT_SITE,
    now,
    epoch: () => epoch.known,
  }),
  newId: randomUUID,
  report: (error, requestId) => log.error({ err: error, requestId }, "request failed"),
});

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: settings.PORT }, ({ port }) =>
  log.info({ port }, "listening"),
);
const running = Promise.all([
  replication.run(stopping.signal),
  keeper.run(stopping.signal),
  ...scrubs.map((each) => scrubArchive(each, scrub, stopping.signal)),
]);

/** Each call to a site ends with the signal, so this is quick; the timer is for what never ends. */
const STOP_MS_MAX = 4_000;
function stop(): void {
  stopping.abort();
  setTimeout(() => process.exit(0), STOP_MS_MAX).unref();
  server.close();
  void running.finally(() => process.exit(0));
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("disconnect", stop);
