/** A replication service between simulated sites. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { createEdge } from "@kattegat/replication/edge.ts";
import { mergeHere, type MergeSegments } from "@kattegat/replication/merge-segments.ts";
import type { Primary } from "@kattegat/replication/primary.ts";
import { createRegionalTarget } from "@kattegat/replication/regional-target.ts";
import { createReplication, type Replication } from "@kattegat/replication/replication.ts";
import type { SiteClient } from "@kattegat/replication/site-client.ts";
import type { MonitorOptions } from "@kattegat/replication/stream-status.ts";
import type { Target } from "@kattegat/replication/target.ts";
import type { Clock } from "./clock.ts";
import type { SimulatedPrimary } from "./primary.ts";
import type { Site } from "./site.ts";
import type { Wire } from "./wire.ts";

/** What the real client waits for the feed beside the feed's own wait. */
const FEED_TIMEOUT_MS = 30_000;
const CONFIRM_TIMEOUT_MS = 5_000;
/** In no history is a base made: that is the work of a thread. */
const NO_BASE = Number.MAX_SAFE_INTEGER;

/** The places at which replication can be built wrongly. */
export interface ReplicationSeams {
  readonly target: (target: Target) => Target;
  readonly primary: (primary: Primary) => Primary;
  readonly merge: (merge: MergeSegments) => MergeSegments;
}

export const REPLICATION_SEAMS: ReplicationSeams = {
  target: (target) => target,
  primary: (primary) => primary,
  merge: (merge) => merge,
};

export interface ReplicationOptions {
  readonly name: string;
  readonly network: Network;
  readonly sites: readonly Site[];
  readonly primarySite: string;
  /** The primary that the name leads to now. */
  readonly primary: () => SimulatedPrimary;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly now: () => number;
  readonly random: () => number;
  readonly scanner: Scanner;
  readonly seams: ReplicationSeams;
  readonly log: MonitorOptions["log"];
}

export interface ReplicationProcess {
  readonly status: Replication["status"];
  /** Ends it as SIGKILL does: nothing more is sent. */
  kill(): void;
}

export function startReplication(options: ReplicationOptions): ReplicationProcess {
  const { network, wire, clock, now, random, log, name } = options;
  const stopping = new AbortController();
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal);
  let made = 0;
  const primary = options.seams.primary(primaryOf(options));
  const [model] = modelsOf(network);
  if (model === undefined) throw new TypeError("expected a network with a model");
  const targets = options.sites.map((site) => {
    const parts = { client: clientOf(name, site, wire), network, now, sleep, log };
    if (site.kind === "regional") return createRegionalTarget({ ...parts, model: model.model });
    return createEdge({
      ...parts,
      model,
      primary,
      scanner: options.scanner,
      newId: () => `${name}-${(made += 1)}`,
      spoolFolder: "",
      basePassagesMin: NO_BASE,
      mergeSegments: options.seams.merge((inputs, about, signal) =>
        mergeHere(inputs, { ...about, scanner: options.scanner }, signal),
      ),
    });
  });
  const replication = createReplication({
    targets: targets.map((target) => options.seams.target(target)),
    primary,
    now,
    random,
    sleep,
    log,
    epochSeen: () => undefined,
  });
  void replication.run(stopping.signal);
  return { status: replication.status, kill: () => stopping.abort() };
}

function clientOf(name: string, site: Site, wire: Wire): SiteClient {
  return {
    site: site.id,
    async request(path, request, use) {
      const { timeoutMs, signal } = request;
      const call = { from: name, to: site.id, timeoutMs, signal };
      return use(await wire.call(call, () => site.handle(path, request)));
    },
  };
}

function primaryOf({ name, primary, primarySite, wire }: ReplicationOptions): Primary {
  const nothing = (): Promise<never> => Promise.reject(new KattegatError("not_found", "There is none."));
  /** A primary that died on the way answers nothing. */
  const asked = async <T>(work: (current: SimulatedPrimary) => Promise<T> | T): Promise<T> => {
    const current = primary();
    if (!current.isAlive) throw new KattegatError("unavailable", "The primary does not answer.");
    return work(current);
  };
  return {
    changes(request, signal) {
      const timeoutMs = request.waitMs + FEED_TIMEOUT_MS;
      return wire.call({ from: name, to: primarySite, timeoutMs, signal }, () =>
        asked((current) => current.changes(request)),
      );
    },
    confirm(report, signal) {
      return wire.call({ from: name, to: primarySite, timeoutMs: CONFIRM_TIMEOUT_MS, signal }, () =>
        asked((current) => current.confirm(report)),
      );
    },
    statistics: nothing,
    embedding: nothing,
  };
}
