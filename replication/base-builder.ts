/** Passages made into a base. */
import { createVolumeWriter } from "@kattegat/engine/cold/base/volume-writer.ts";
import type { AssignRows } from "@kattegat/engine/cold/base/cluster-assignment.ts";
import { clusterPassages } from "@kattegat/engine/cold/base/cluster.ts";
import { encodeDense } from "@kattegat/engine/cold/base/dense-encoder.ts";
import { writeDocuments } from "@kattegat/engine/cold/base/document-writer.ts";
import { writeLexical } from "@kattegat/engine/cold/base/lexical-builder.ts";
import type { BaseHit } from "@kattegat/engine/cold/base/parts.ts";
import { encodeRoot } from "@kattegat/engine/cold/base/root.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import type { GridVectors } from "@kattegat/engine/cold/base/dense-vectors.ts";
import type { DocumentVersion } from "./cold-table.ts";
import type { PassageSpool } from "./passage-spool.ts";

/** The same passages make the same base: a repetition is told by its checksums. */
const SEED = 1;

export interface BuildOptions {
  readonly key: string;
  readonly model: string;
  readonly dimensions: number;
  readonly assign: (vectors: GridVectors) => AssignRows;
  readonly put: (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly progressed?: (step: "clustering" | "lists" | "postings" | "documents", share: number) => void;
}

export interface BuiltBase {
  readonly base: ManifestBase;
  /** In the order of their numbers. */
  readonly documents: readonly DocumentVersion[];
}

/** Writes the volumes as they fill, the root last; in memory are the vectors and terms, no text. */
export async function buildBase(spool: PassageSpool, options: BuildOptions): Promise<BuiltBase> {
  const { key, model, dimensions, put, progressed } = options;
  const { count, width } = spool;
  const vectors: GridVectors = {
    count,
    dimensions,
    integers: spool.integers.subarray(0, count * width),
    scales: spool.scales.subarray(0, count),
  };
  const clustering = await clusterPassages(vectors, {
    seed: SEED,
    assign: options.assign(vectors),
    progressed: (share) => progressed?.("clustering", share),
  });
  const { order } = clustering;
  const numberOf = (row: number): number => order[row] ?? 0;
  const writer = createVolumeWriter((file, volume, bytes) => put(volumeKey({ key }, file, volume), bytes));
  progressed?.("lists", 0);
  const dense = await encodeDense(vectors, clustering, writer);
  progressed?.("postings", 0);
  const lexical = await writeLexical({ rows: count, vectorOf: (row) => spool.sparse(numberOf(row)) }, writer);
  progressed?.("documents", 0);
  const documents: DocumentVersion[] = [];
  const written = await writeDocuments(hitsOf(spool, order, documents), writer);
  const volumes = await writer.finish();
  const root = encodeRoot({ model, dimensions }, [dense, lexical, written]);
  await put(rootKey({ key }), root);
  const checksum = crc32c(root).toString(16).padStart(8, "0");
  return {
    base: {
      key,
      root: { bytes: root.byteLength, checksum },
      volumes,
      passages: count,
      documents: documents.length,
      tombstones: "",
      dead: 0,
    },
    documents,
  };
}

/** Documents are numbered by their first rows, as `writeDocuments` numbers them. */
function* hitsOf(spool: PassageSpool, order: Uint32Array, documents: DocumentVersion[]): Generator<BaseHit> {
  const seen = new Set<string>();
  for (const number of order) {
    const text = spool.text(number);
    if (!seen.has(text.documentId)) {
      seen.add(text.documentId);
      documents.push({ documentId: text.documentId, version: text.version });
    }
    yield text;
  }
}
