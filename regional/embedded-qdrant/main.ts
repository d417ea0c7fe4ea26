/** Starts the embedded Qdrant server. */
import pino from "pino";
import { Catalog } from "./catalog.ts";
import { loadScanner } from "./kernel.ts";
import { createQdrantServer } from "./server.ts";
import { processSettings } from "./settings.ts";
import { Store } from "./storage/store.ts";

/** What is in flight gets this long to finish after a signal. */
const STOP_MS_MAX = 4_000;

const settings = processSettings();
const logger = pino({ level: settings.logLevel, base: { name: "embedded-qdrant" } });
const fail = (error: unknown): never => {
  // No fatal one, which nobody would start again: a full disk may have room later.
  logger.error({ err: error }, "stopped: the state cannot be kept");
  process.exit(1);
};

const catalog = new Catalog(loadScanner());
const store = await Store.open({
  folder: settings.folder,
  catalog,
  log: (message, details) => logger.info(details, message),
  fail,
}).catch(fail);
const server = createQdrantServer({
  engine: { catalog, store },
  apiKey: settings.apiKey,
  readOnlyApiKey: settings.readOnlyApiKey,
  now: () => performance.now(),
  report: (error) => logger.error({ err: error }, "a request failed"),
});
server.on("error", fail);
server.listen(settings.port, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : settings.port;
  // Whoever started this process waits for the line, so no log level may swallow it.
  logger.child({}, { level: "info" }).info({ port }, "listening");
});

function stop(): void {
  setTimeout(() => process.exit(0), STOP_MS_MAX).unref();
  server.close(() => void store.close().then(() => process.exit(0), fail));
  server.closeIdleConnections();
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("disconnect", stop);
