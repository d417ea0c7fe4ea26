/** A cold tier as a target, between a log and a Worker that hold everything in memory. */
import { tmpdir } from "node:os";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseNetwork } from "@kattegat/config/load.ts";
import { modelsOf, type Model } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { Change } from "@kattegat/protocol/changes.ts";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import { createEdge } from "./edge.ts";
import { scanner, serveEdge, type FakeEdge } from "./fake-edge.fixture.ts";
import { servePrimary, type FakePrimary } from "./fakes.fixture.ts";
import { createMergeSegments } from "./merge-segments.ts";
import { createPrimary } from "./primary.ts";
import { clientOf, closeLater, silent } from "./running.fixture.ts";
import { sleep } from "./sleep.ts";
import type { Target } from "./target.ts";

const file = parseNetwork(
  readFileSync(fileURLToPath(import.meta.resolve("@kattegat/config/network.yaml")), "utf8"),
);
export const network = { ...file, embedding: { ...file.embedding, dimensions: 8 } };

export async function pair(): Promise<{ readonly primary: FakePrimary; readonly edge: FakeEdge }> {
  const primary = await servePrimary();
  const edge = await serveEdge();
  closeLater(primary.close, edge.close);
  return { primary, edge };
}

export function targetOf(
  primary: FakePrimary,
  edge: FakeEdge,
  clock: { readonly now: () => number } = Date,
  {
    basePassagesMin = 1_000_000,
    embedding = network.embedding,
    model = modelsOf({ embedding })[0] ?? embedding,
  }: {
    readonly basePassagesMin?: number;
    readonly embedding?: Network["embedding"];
    /** Of the copies; the one that serves, unless it is given. */
    readonly model?: Model;
  } = {},
): Target {
  return createEdge({
    client: clientOf("edge-global", edge),
    network: { ...network, embedding },
    model,
    primary: createPrimary(clientOf("dk-cph", primary)),
    scanner,
    now: clock.now,
    newId: () => crypto.randomUUID(),
    sleep,
    log: silent,
    spoolFolder: tmpdir(),
    basePassagesMin,
    mergeSegments: createMergeSegments({ scanner }),
  });
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
    after: FENCE_ZERO,
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
