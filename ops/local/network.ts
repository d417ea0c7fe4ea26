/** The local network: every process of the topology on one machine. */
import { readFileSync } from "node:fs";
import { createClient } from "../client/client.ts";
import { readNetwork } from "../configured-network.ts";
import type { Settings } from "../settings.ts";
import { startChild, type Child } from "./child.ts";
import { dataFolder, prepareFolder, type DataFolder } from "./folder.ts";
import { ensureKeys } from "./keys.ts";
import { takeLock } from "./lock.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { readRunningNetwork, writeRunningNetwork } from "./network-file.ts";
import { choosePorts } from "./ports.ts";
import type { LocalProcess, Plan } from "./plan.ts";
import { isStore } from "./process-names.ts";
import { planProcesses, portNames } from "./processes.ts";
import { ANSWER_MS_MAX, STANDSTILL_MS_MAX, untilAnswering, untilReady } from "./readiness.ts";
import type { StartupLog } from "./startup-log.ts";
import { createWarnings } from "./warnings.ts";

export interface LocalNetwork {
  readonly folder: DataFolder;
  readonly plan: Plan;
  /** Public address of the edge in the EU zone. */
  readonly url: string;
  /** Resolves when a search at each edge was answered in full; rejects when that does not come. */
  untilAnswering(): Promise<void>;
  markReady(): void;
  stop(): Promise<void>;
}

/**
 * Starts every process. Resolves when each answers `/readyz` with yes.
 *
 * @throws {LockedError} when the folder is in use, {PortTakenError} when the port is, `Error` when a process does not start.
 */
export async function startNetwork(
  settings: Settings,
  log: StartupLog,
  signal: AbortSignal,
): Promise<LocalNetwork> {
  const { network } = readNetwork(settings);
  const folder = dataFolder(settings.data);
  prepareFolder(folder);
  const lock = takeLock(folder.lock, { shown: settings.dataShown });
  const children = new Map<string, Child>();
  const startedAt = new Date().toISOString();
  let ready = false;
  const warned = createWarnings({ show: log.notice, nowMs: () => performance.now(), quiet: () => !ready });
  const stop = async (): Promise<void> => {
    ready = false;
    await stopInOrder(children);
    lock.release();
  };
  try {
    if (lock.stale) sweepLeftovers(readRunningNetwork(folder.network), folder.root);
    const { callers } = await ensureKeys(folder);
    const ports = await choosePorts(settings.port, portNames(network, settings));
    const plan = planProcesses({ network, settings, folder, callers, ports });
    const record = (): void =>
      writeRunningNetwork(folder.network, {
        pid: process.pid,
        started_at: startedAt,
        ready,
        edges: plan.edges,
        processes: plan.processes.map(({ spec, site, role, url }) => ({
          name: spec.name,
          site,
          role,
          url,
          pid: children.get(spec.name)?.pid() ?? null,
        })),
      });
    for (const { site, role, url } of plan.external) log.row({ site, role, url, tookMs: null });
    await startAll(plan.processes, { children, log, warned, record, signal });
    record();
    const url = plan.edges["eu"] ?? Object.values(plan.edges)[0] ?? "";
    const lost = firstDown(children);
    const asked = plan.processes.map(({ spec, readiness }) => ({ name: spec.name, readiness }));
    const waiting = untilReady(asked, {
      signal,
      timeoutMs: STANDSTILL_MS_MAX,
      tell: (name, reason) => log.notice(name, `not ready yet: ${reason}`),
    });
    await Promise.race([waiting, lost, whenAborted(signal)]);
    const key = readFileSync(folder.adminKey, "utf8").trim();
    const clients = Object.values(plan.edges).map((edge) => createClient({ url: edge, key }));
    const answering = (): Promise<void> =>
      Promise.race([
        untilAnswering(clients, { signal, timeoutMs: ANSWER_MS_MAX }),
        lost,
        whenAborted(signal),
      ]);
    const markReady = (): void => {
      ready = true;
      record();
    };
    return { folder, plan, url, untilAnswering: answering, markReady, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

interface Start {
  readonly children: Map<string, Child>;
  readonly log: StartupLog;
  readonly warned: (name: string, text: string) => void;
  readonly record: () => void;
  readonly signal: AbortSignal;
}

/** Each process starts as soon as those that it needs listen. */
async function startAll(
  processes: readonly LocalProcess[],
  { children, log, warned, record, signal }: Start,
): Promise<void> {
  const listening = new Map<string, Promise<void>>();
  for (const { spec, site, role, url, after } of processes) {
    const begin = async (): Promise<void> => {
      await Promise.all(after.map((name) => listening.get(name)));
      signal.throwIfAborted();
      const startedMs = performance.now();
      const child = startChild(spec, { notice: log.notice, warned, changed: record });
      children.set(spec.name, child);
      await child.listening;
      log.row({ site, role, url, tookMs: performance.now() - startedMs });
    };
    const started = begin();
    started.catch(() => {});
    listening.set(spec.name, started);
  }
  await Promise.race([Promise.all(listening.values()), whenAborted(signal)]);
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Rejects when one of them stays down: no wait brings it back. */
function firstDown(children: ReadonlyMap<string, Child>): Promise<never> {
  const lost = Promise.race([...children.values()].map(({ down }) => down)).then((error): never => {
    throw error;
  });
  // A network that runs already goes on without the process, and says so in its log.
  lost.catch(() => {});
  return lost;
}

/** Those that write stop before those that store. */
async function stopInOrder(children: ReadonlyMap<string, Child>): Promise<void> {
  const all = [...children.values()];
  await Promise.all(all.filter(({ name }) => !isStore(name)).map((child) => child.stop()));
  await Promise.all(all.filter(({ name }) => isStore(name)).map((child) => child.stop()));
}
