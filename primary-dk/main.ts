/** Starts the primary. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { parseNetwork } from "@kattegat/config/load.ts";
import { parseKeySet } from "@kattegat/protocol/key-file.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import { pino } from "pino";
import { embeddingsFolder } from "./embedding/artefact-files.ts";
import { createApp } from "./http/app.ts";
import { createMetrics } from "./http/metrics.ts";
import { NoteSigner } from "./ledger/signed-note.ts";
import { openUntilDone } from "./open.ts";
import { loggable } from "./postgres/failure.ts";
import { openPrimary } from "./primary.ts";
import { readScanner } from "./scanner.ts";
import { embedderOf, nextEmbedderOf } from "./search/embedder.ts";
import { keyringFolder } from "./sealing/keyring.ts";
import { processSettings } from "./settings.ts";
import { startUpkeep } from "./upkeep.ts";

const settings = processSettings();
const log = pino({ level: settings.LOG_LEVEL, base: { site: settings.KATTEGAT_SITE } });
const network = parseNetwork(await readFile(settings.KATTEGAT_CONFIG, "utf8"), {
  file: settings.KATTEGAT_CONFIG,
  read: (path) => readFileSync(path, "utf8"),
});
const now = (): number => Date.now();
const scanner = readScanner();
const ledgerSigner = new NoteSigner(
  `${settings.KATTEGAT_SITE}/ledger`,
  await readFile(settings.KATTEGAT_LEDGER_KEY, "utf8"),
);
const embeddings = embeddingsFolder(settings.KATTEGAT_DATA ?? ".kattegat");
const apiKey = settings.KATTEGAT_EMBEDDING_KEY ?? null;
const opening = openUntilDone({
  open: async () =>
    openPrimary({
      network,
      site: settings.KATTEGAT_SITE,
      databaseUrl: settings.DATABASE_URL,
      keyring: {
        folder: settings.KATTEGAT_KEYRING ?? keyringFolder(settings.KATTEGAT_DATA ?? ".kattegat"),
        rootKeyFile: settings.KATTEGAT_ROOT_KEY,
      },
      replacedMs: settings.KATTEGAT_REPLACED_DAYS * 86_400_000,
      repairsPerMinute: settings.KATTEGAT_REPAIRS_PER_MINUTE,
      ledgerSigner,
      scanner,
      embedder: await embedderOf(network, { apiKey, embeddings }),
      nextEmbedder: await nextEmbedderOf(network, { apiKey, embeddings }),
      embeddings,
      now,
      newId: randomUUID,
      pause: () => setImmediate(),
      log,
      ...(settings.KATTEGAT_DATA === undefined
        ? {}
        : {
            cold: {
              folder: settings.KATTEGAT_DATA,
              basePassagesMin: settings.KATTEGAT_BASE_PASSAGES_MIN,
            },
          }),
    }),
  sleep: (ms) => sleep(ms),
  report: (error) => log.error(loggable(error), "the primary is not open yet"),
});
const app = createApp({
  primary: opening.state,
  verifier: createTokenVerifier({
    jwks: parseKeySet(await readFile(settings.KATTEGAT_JWKS, "utf8"), settings.KATTEGAT_JWKS),
    site: settings.KATTEGAT_SITE,
    now,
    epoch: opening.epoch,
  }),
  metrics: createMetrics(),
  siteUrls: settings.KATTEGAT_SITES,
  newId: randomUUID,
  report: (error, requestId) => log.error({ ...loggable(error), requestId }, "request failed"),
});
const upkeep = opening.opened.then((primary) =>
  startUpkeep(primary, (error, work) => log.error({ ...loggable(error), work }, "a round failed")),
);
/** Longer than the edges keep an idle connection: the side that sends requests is the one to close it. */
const serverOptions = { keepAliveTimeout: 60_000 };
const server = serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: settings.PORT, serverOptions },
  ({ port }) => log.info({ port }, "listening"),
);

let stopping = false;
opening.opened.catch((error: unknown) => {
  if (stopping) return;
  log.fatal(loggable(error), `cannot open: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});

/** Accepted writes end well before; the timer is for a Postgres that hangs. */
const STOP_MS_MAX = 4_000;
function stop(): void {
  stopping = true;
  setTimeout(() => process.exit(0), STOP_MS_MAX).unref();
  server.close();
  opening.cancel();
  void Promise.all([upkeep, opening.opened])
    .then(async ([stopUpkeep, primary]) => {
      await stopUpkeep();
      await primary.close();
    })
    .catch((error: unknown) =>
      log.info({ reason: error instanceof Error ? error.message : String(error) }, "stopped early"),
    )
    .finally(() => process.exit(0));
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("disconnect", stop);
