import type { SparseVector } from "../../lexical/bm25.ts";
import type { Scanner } from "../../vector/scan.ts";
import { crc32c } from "../crc32c.ts";
import { rootKey, volumeKey } from "../manifest-base.ts";
import type { ManifestBase } from "../manifest-shape.ts";
import { buildDense } from "./dense/dense-builder.ts";
import type { GridVectors } from "./dense/dense-vectors.ts";
import { denseHere, type DenseWork } from "./dense/dense-work.ts";
import { rowsPerBlockFor } from "./dense/dense-rows.ts";
import { createDocumentsWriter } from "./documents/document-writer.ts";
import { writeLexical } from "./lexical/lexical-builder.ts";
import type { BaseHit } from "./parts.ts";
import { encodeRoot } from "./root.ts";
import { createVolumeWriter } from "./volume-writer.ts";

/** Passages by their numbers, in any order. */
export interface BaseInput {
  /** Canonical vectors of all. */
  readonly vectors: GridVectors;
  sparse(number: number): SparseVector;
  text(number: number): BaseHit;
}

type Put = (key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

export interface BuildOptions {
  readonly key: string;
  readonly model: string;
  readonly scanner: Scanner;
  /** Where the work on vectors is done; in this thread without it. */
  readonly dense?: DenseWork;
  /** Called for one object after the other. */
  readonly put: Put;
  /** A faster deflate (RFC 1951) than the one in JavaScript, where there is one. */
  readonly deflate?: (raw: Uint8Array) => Uint8Array;
  readonly progressed?: (
    step: "clustering" | "codes" | "rows" | "postings" | "documents",
    share: number,
  ) => void;
}

export interface BuiltBase {
  readonly base: ManifestBase;
  /** In the order of their numbers. */
  readonly documents: readonly { readonly documentId: string; readonly version: string }[];
}

/** Writes the volumes as they fill, the root last; in memory are the vectors and terms, no text. */
export async function buildBase(input: BaseInput, options: BuildOptions): Promise<BuiltBase> {
  const { key, model, scanner, progressed } = options;
  const { vectors } = input;
  const { count, dimensions } = vectors;
  const put = inTurn(options.put);
  const writer = createVolumeWriter((file, volume, bytes) => put(volumeKey({ key }, file, volume), bytes));
  const texts = createDocumentsWriter(writer, { ...options, rowsPerBlock: rowsPerBlockFor(dimensions) });
  const documents = createDocumentList();
  const dense = await buildDense(vectors, {
    scanner,
    work: options.dense ?? denseHere(vectors, scanner),
    putCodes: (volume, bytes) => put(volumeKey({ key }, "codes", volume), bytes),
    writer,
    progressed,
    beside: async (numbers) => {
      const hits = Array.from(numbers, (number) => input.text(number));
      for (const hit of hits) documents.add(hit);
      await texts.write(hits);
    },
  });
  const numberOf = (row: number): number => dense.order[row] ?? 0;
  progressed?.("postings", 0);
  const lexical = await writeLexical({ rows: count, vectorOf: (row) => input.sparse(numberOf(row)) }, writer);
  progressed?.("documents", 0);
  const written = await texts.finish();
  const codes = await dense.finish();
  const volumes = { ...(await writer.finish()), codes: codes.volumes };
  const root = encodeRoot({ model, dimensions }, [codes.sections, lexical, written]);
  // Before it is handed out: a thread's owner gets the memory itself.
  const about = { bytes: root.byteLength, checksum: crc32c(root).toString(16).padStart(8, "0") };
  await put(rootKey({ key }), root);
  return {
    base: {
      key,
      root: about,
      volumes,
      passages: count,
      documents: documents.listed.length,
      tombstones: "",
      dead: 0,
    },
    documents: documents.listed,
  };
}

function inTurn(put: Put): Put {
  let last: Promise<void> = Promise.resolve();
  return (key, bytes) => {
    last = last.then(() => put(key, bytes));
    return last;
  };
}

type Listed = BuiltBase["documents"][number];

/** Documents are numbered by their first rows, as the writer of documents numbers them. */
function createDocumentList(): { readonly listed: readonly Listed[]; add(hit: BaseHit): void } {
  const seen = new Set<string>();
  const listed: Listed[] = [];
  return {
    listed,
    add({ documentId, version }) {
      if (seen.has(documentId)) return;
      seen.add(documentId);
      listed.push({ documentId, version });
    },
  };
}
