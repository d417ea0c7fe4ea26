/** An edge site with all that its cold tier needs. */
import { modelsOf, type Model } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { openSegment } from "@kattegat/engine/cold/segment.ts";
import { embeddingKeys } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { DocumentRecord } from "@kattegat/protocol/changes.ts";
import { openBaseSource } from "./base-source.ts";
import type { Refuse } from "./cold-batch.ts";
import { createColdPublisher } from "./cold-publisher.ts";
import { retireEditions } from "./cold-retire.ts";
import { createColdStore, type ColdStore } from "./cold-store.ts";
import { createColdTable } from "./cold-table.ts";
import { createColdUpkeep, type ColdUpkeep } from "./cold-upkeep.ts";
import { createEmbeddingCopy } from "./embedding-copy.ts";
import { createEdgeTarget } from "./edge-target.ts";
import type { MergeSegments } from "./merge-segments.ts";
import type { Primary } from "./primary.ts";
import { createRetirement, type Retirement } from "./retirement.ts";
import type { StreamOptions } from "./run-stream.ts";
import type { SiteClient } from "./site-client.ts";
import { logFields, type MonitorOptions } from "./stream-status.ts";
import type { Target } from "./target.ts";

/** A merge or a new table of statistics may be this late; both are about cost, not about what is found. */
const UPKEEP_EVERY_MS = 1_000;

export interface EdgeOptions {
  readonly client: SiteClient;
  readonly network: Network;
  /** Of the copies: one of the network's models. */
  readonly model: Model;
  readonly primary: Pick<Primary, "statistics" | "embedding">;
  readonly scanner: Scanner;
  readonly now: () => number;
  readonly newId: () => string;
  readonly sleep: StreamOptions["sleep"];
  readonly log: MonitorOptions["log"];
  /** Where a base's texts wait while it is made. */
  readonly spoolFolder: string;
  readonly basePassagesMin: number;
  readonly mergeSegments: MergeSegments;
}

export function createEdge(options: EdgeOptions): Target {
  const { client, network, primary, scanner, now, sleep, log } = options;
  const { model, dimensions } = options.model;
  const store = createColdStore(client, options.model);
  const table = createColdTable({
    async segment({ key, bytes: totalBytes, checksum }, signal) {
      const read = (offset: number, length: number): Promise<Uint8Array> =>
        store.readObject(key, { offset, length }, signal);
      return [...(await openSegment(read, { scanner, totalBytes, checksum })).documents()];
    },
    async base(base, signal) {
      const source = await openBaseSource(
        { key: base.key, rootBytes: base.root.bytes },
        (key, offset, length) => store.readObject(key, { offset, length }, signal),
      );
      return source.documents();
    },
  });
  const embedding = createEmbeddingCopy({ store, primary, network, model });
  const publisher = createColdPublisher({
    store,
    table,
    embedding,
    model,
    dimensions,
    cacheSecondsMax: network.limits.cache_seconds_max,
    now,
  });
  const parts = { ...options, store, table, publisher, embedding, model, dimensions };
  const isNext = model !== network.embedding.model;
  const target = createEdgeTarget({ ...parts, isNext, refuse: refuserOf(network, parts) });
  const upkeep = createColdUpkeep({ ...parts, limits: network.limits, needed: neededObjects(network) });
  const retirement = createRetirement({
    network,
    now,
    retire: (kept, signal) => retireEditions(kept, { store, publisher, now }, signal),
  });
  return {
    ...target,
    // Objects of a model that is gone may hold anything until they are on the list.
    removed: async (signal) => (isNext || retirement.hasEnded() ? await target.removed(signal) : null),
    upkeep: {
      heard(head) {
        upkeep.heard(head.statistics_version);
        if (!isNext) retirement.heard(head);
      },
      run: (signal) => runUpkeep({ upkeep, retirement, about: logFields(target), sleep, log }, signal),
    },
  };
}

function neededObjects(network: Network): ReadonlySet<string> {
  return new Set(modelsOf(network).flatMap(({ model }) => Object.values(embeddingKeys(model) ?? {})));
}

/** This site's own check of what the primary sent (I5). */
function refuserOf(
  network: Network,
  { store: { site }, dimensions }: { readonly store: ColdStore; readonly dimensions: number },
): Refuse {
  // Four bytes for each number, four characters of base64 for each three bytes, without the padding.
  const characters = Math.ceil((dimensions * 4 * 4) / 3);
  return ({ residency, passages }: DocumentRecord) => {
    if (!mayHold(network, residency, { id: site })) {
      return { code: "residency_refused", detail: `${site} may not hold the class ${residency}.` };
    }
    const wrong = passages.find(({ dense }) => dense.replace(/=+$/, "").length !== characters);
    if (wrong === undefined) return null;
    return { code: "bad_vector", detail: `passage ${wrong.ordinal}: expected ${dimensions} dimensions.` };
  };
}

async function runUpkeep(
  {
    upkeep,
    retirement,
    about,
    sleep,
    log,
  }: Pick<EdgeOptions, "sleep" | "log"> & {
    readonly upkeep: ColdUpkeep;
    readonly retirement: Retirement;
    readonly about: object;
  },
  signal: AbortSignal,
): Promise<void> {
  const failed = (error: unknown): void => {
    if (!signal.aborted) log.warn({ ...about, err: error }, "upkeep failed");
  };
  while (!signal.aborted) {
    await retirement.round(signal).catch(failed);
    try {
      const done = await upkeep.round(signal);
      if (done.length > 0) log.info({ ...about, done }, "upkeep");
      // One merge often makes the next possible.
      if (done.includes("merged")) continue;
    } catch (error) {
      failed(error);
    }
    await sleep(UPKEEP_EVERY_MS, signal);
  }
}
