/** Starts the embedded S3 server. */
import { constants, setPriority } from "node:os";
import pino from "pino";
import { ObjectFiles } from "./object-files.ts";
import { createS3Server } from "./server.ts";
import { processSettings } from "./settings.ts";

/** What is in flight gets this long to finish after a signal. */
const STOP_MS_MAX = 4_000;

// Nobody waits for an archive; writes and searches share its machine.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const settings = processSettings();
const logger = pino({ level: settings.LOG_LEVEL, base: { name: "embedded-s3" } });
const fail = (error: unknown): never => {
  // No fatal one, which nobody would start again: a full disk may have room later.
  logger.error({ err: error }, "stopped: the objects cannot be kept");
  process.exit(1);
};

const files = await ObjectFiles.open(settings.KATTEGAT_DATA, settings.KATTEGAT_BUCKETS.split(",")).catch(
  fail,
);
const server = createS3Server({
  files,
  key: { accessKeyId: settings.AWS_ACCESS_KEY_ID, secretAccessKey: settings.AWS_SECRET_ACCESS_KEY },
  now: Date.now,
  report: (error) => logger.error({ err: error }, "a request failed"),
});
server.on("error", fail);
server.listen(settings.PORT, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : settings.PORT;
  // Whoever started this process waits for the line, so no log level may swallow it.
  logger.child({}, { level: "info" }).info({ port }, "listening");
});

function stop(): void {
  setTimeout(() => process.exit(0), STOP_MS_MAX).unref();
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("disconnect", stop);
