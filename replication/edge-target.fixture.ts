/** A cold tier as a target, between a log and a Worker that hold everything in memory. */
import { tmpdir } from "node:os";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { Change } from "@kattegat/protocol/changes.ts";
import { createEdge } from "./edge.ts";
import { scanner, serveEdge, type FakeEdge } from "./fake-edge.fixture.ts";
import { servePrimary, type FakePrimary } from "./fakes.fixture.ts";
import { createFetch } from "./fetch.ts";
import { createPrimary } from "./primary.ts";
import { createReplication, type Replication } from "./replication.ts";
import { createSiteClient } from "./site-client.ts";
import { sleep } from "./sleep.ts";
import type { Target } from "./target.ts";

const file = parseNetwork(
  readFileSync(fileURLToPath(import.meta.resolve("@kattegat/config/network.yaml")), "utf8"),
);
const network = { ...file, embedding: { ...file.embedding, dimensions: 8 } };
const silent = { warn: () => undefined, error: () => undefined, info: () => undefined };
const closing: (() => Promise<void>)[] = [];

/** Ends what the test began, the last first. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

/** Closes this at the end of the test too. */
export function closeLater(close: () => Promise<void>): void {
  closing.push(close);
}

export async function pair(): Promise<{ readonly primary: FakePrimary; readonly edge: FakeEdge }> {
  const primary = await servePrimary();
  const edge = await serveEdge();
  closing.push(primary.close, edge.close);
  return { primary, edge };
}

export function targetOf(
  primary: FakePrimary,
  edge: FakeEdge,
  clock: { readonly now: () => number } = Date,
  {
    basePassagesMin = 1_000_000,
    embedding = network.embedding,
  }: { readonly basePassagesMin?: number; readonly embedding?: Network["embedding"] } = {},
): Target {
  const clientOf = (site: string, url: string) =>
    createSiteClient({
      site,
      baseUrl: url,
      fetch: createFetch(),
      authorization: () => Promise.resolve("Bearer test"),
    });
  return createEdge({
    client: clientOf("edge-global", edge.url),
    network: { ...network, embedding },
    primary: createPrimary(clientOf("dk-cph", primary.url)),
    scanner,
    now: clock.now,
    newId: () => crypto.randomUUID(),
    sleep,
    log: silent,
    spoolFolder: tmpdir(),
    basePassagesMin,
  });
}

export function started(
  primary: FakePrimary,
  target: Target,
): { readonly replication: Replication; kill(): Promise<void> } {
  const client = createSiteClient({
    site: "dk-cph",
    baseUrl: primary.url,
    fetch: createFetch(),
    authorization: () => Promise.resolve("Bearer test"),
  });
  const stopping = new AbortController();
  const replication = createReplication({
    targets: [target],
    primary: createPrimary(client),
    now: Date.now,
    random: () => 0.1,
    sleep,
    log: silent,
    epochSeen: () => undefined,
  });
  const running = replication.run(stopping.signal);
  const kill = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  closing.push(kill);
  return { replication, kill };
}

/** The copies that a target at the end of the log has. */
export function expected(log: readonly Change[]): Map<string, string> {
  const documents = new Map<string, string>();
  for (const change of log) {
    if (change.kind === "put") documents.set(change.document_id, change.document.version);
    if (change.kind === "withdraw") documents.delete(change.document_id);
  }
  return documents;
}

export const batchOf = (
  changes: readonly Change[],
  { model = network.embedding.model }: { readonly model?: string } = {},
) => {
  const sequence = changes.at(-1)?.sequence ?? "0";
  const at = new Date(0).toISOString();
  return {
    changes,
    position: { epoch: 1, sequence },
    positionAt: at,
    head: {
      kind: "head",
      epoch: 1,
      sequence,
      at,
      model,
      statistics_version: null,
    } as const,
  };
};
export const never = new AbortController().signal;
