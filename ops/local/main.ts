/** Starts the local network and ends with it. */
import { join } from "node:path";
import { NetworkFileError } from "@kattegat/config/yaml-text.ts";
import { LockedError } from "./lock.ts";
import { startNetwork, type LocalNetwork } from "./network.ts";
import { PortTakenError } from "./ports.ts";
import "./rest.ts";
import { createStartupLog } from "./startup-log.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import { createPainter } from "../output/painter.ts";
import { surviveLostReader } from "../output/terminal.ts";
import { loadSamples } from "../samples/load.ts";
import { SettingsError, processSettings } from "../settings.ts";

const paint = createPainter({ terminal: process.stdout.isTTY === true, environment: process.env });
const log = createStartupLog(process.stdout, { paint, nowMs: () => performance.now() });
surviveLostReader(process.stdout);
surviveLostReader(process.stderr);
const stopping = new AbortController();
let network: LocalNetwork | null = null;
let ending: Promise<void> | null = null;

function interrupt(): void {
  if (stopping.signal.aborted) return;
  stopping.abort(new Error("stopped"));
  if (network !== null) void shutDown(network, EXIT.done);
}
process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
process.on("SIGHUP", interrupt);

/** A second call waits for the first. */
function shutDown(running: LocalNetwork, code: number): Promise<void> {
  ending ??= (async () => {
    log.say("stopping");
    await running.stop();
    log.say("stopped");
    process.exit(code);
  })();
  return ending;
}

try {
  const settings = processSettings();
  log.say(`Kattegat, local network; network file ${settings.configShown}, data ${settings.dataShown}`);
  const started = await startNetwork(settings, log, stopping.signal);
  network = started;
  await loadSamples({ settings, network: started, log, signal: stopping.signal });
  await started.untilAnswering();
  started.markReady();
  log.ready(started.url, join(settings.dataShown, "keys", "admin.key"));
} catch (error) {
  const interrupted = stopping.signal.aborted;
  if (!interrupted) process.stderr.write(`${paint.red("cannot start")}: ${messageOf(error)}\n`);
  const code = interrupted ? EXIT.done : isUsage(error) ? EXIT.usage : EXIT.refused;
  if (network === null) process.exit(code);
  await shutDown(network, code);
}

function isUsage(error: unknown): boolean {
  return [SettingsError, NetworkFileError, UsageError, PortTakenError, LockedError].some(
    (kind) => error instanceof kind,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
