/** An edge site with all that its cold tier needs. */
import type { Network } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { openSegment } from "@kattegat/engine/cold/segment.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { DocumentRecord } from "@kattegat/protocol/changes.ts";
import { openBaseSource } from "./base-source.ts";
import type { Refuse } from "./cold-batch.ts";
import { createColdPublisher } from "./cold-publisher.ts";
import { createColdStore } from "./cold-store.ts";
import { createColdTable } from "./cold-table.ts";
import { createColdUpkeep, type ColdUpkeep } from "./cold-upkeep.ts";
import { createEmbeddingCopy } from "./embedding-copy.ts";
import { createEdgeTarget } from "./edge-target.ts";
import type { Primary } from "./primary.ts";
import type { StreamOptions } from "./run-stream.ts";
import type { SiteClient } from "./site-client.ts";
import type { MonitorOptions } from "./stream-status.ts";
import type { Target } from "./target.ts";

/** A merge or a new table of statistics may be this late; both are about cost, not about what is found. */
const UPKEEP_EVERY_MS = 1_000;

export interface EdgeOptions {
  readonly client: SiteClient;
  readonly network: Network;
  readonly primary: Pick<Primary, "statistics" | "embedding">;
  readonly scanner: Scanner;
  readonly now: () => number;
  readonly newId: () => string;
  readonly sleep: StreamOptions["sleep"];
  readonly log: MonitorOptions["log"];
  /** Where a base's texts wait while it is made. */
  readonly spoolFolder: string;
  readonly basePassagesMin: number;
}

export function createEdge({
  client,
  network,
  primary,
  scanner,
  now,
  newId,
  sleep,
  log,
  spoolFolder,
  basePassagesMin,
}: EdgeOptions): Target {
  const { model, dimensions } = network.embedding;
  const store = createColdStore(client);
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
  const embedding = createEmbeddingCopy({ store, primary, network });
  const publisher = createColdPublisher({ store, table, embedding, model, dimensions, now });
  const parts = { store, table, publisher, embedding, model, dimensions, now, newId };
  const target = createEdgeTarget({ ...parts, refuse: refuserOf(network, store.site) });
  const upkeep = createColdUpkeep({ ...parts, primary, spoolFolder, basePassagesMin });
  return {
    ...target,
    upkeep: {
      heard: (head) => upkeep.heard(head.statistics_version),
      run: (signal) => runUpkeep({ upkeep, site: store.site, sleep, log }, signal),
    },
  };
}

/** This site's own check of what the primary sent (I5). */
function refuserOf(network: Network, site: string): Refuse {
  const { dimensions } = network.embedding;
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
    site,
    sleep,
    log,
  }: Pick<EdgeOptions, "sleep" | "log"> & { readonly upkeep: ColdUpkeep; readonly site: string },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const done = await upkeep.round(signal);
      if (done.length > 0) log.info({ target: site, done }, "upkeep");
      // One merge often makes the next possible.
      if (done.includes("merged")) continue;
    } catch (error) {
      if (!signal.aborted) log.warn({ target: site, err: error }, "upkeep failed");
    }
    await sleep(UPKEEP_EVERY_MS, signal);
  }
}
