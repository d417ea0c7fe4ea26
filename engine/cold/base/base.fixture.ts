/** A base made in memory, for tests that need no spool. */
import type { SparseVector } from "../../lexical/bm25.ts";
import type { Scanner } from "../../vector/scan.ts";
import { crc32c } from "../crc32c.ts";
import { rootKey, volumeKey } from "../manifest-base.ts";
import type { ManifestBase } from "../manifest-shape.ts";
import type { ColdPassage } from "../passage.ts";
import { buildBase } from "./build-base.ts";
import { createGridVectors, writeGridVector } from "./dense/dense-vectors.ts";
import type { BaseHit } from "./parts.ts";
import type { ReadPieces } from "./piece.ts";

export interface TestBase {
  readonly base: ManifestBase;
  readonly documents: readonly { readonly documentId: string; readonly version: string }[];
  readonly objects: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly root: Uint8Array;
  readonly read: ReadPieces;
}

/** What a passage shows that is like every other; each is a document. */
export function plainHit(number: number): BaseHit {
  return {
    documentId: `d-${number}`,
    ordinal: 1,
    version: "1",
    epoch: 1,
    residency: "global",
    collection: "default",
    title: `Lov ${number}`,
    text: `§ ${number}`,
    lang: "da",
    publishedAt: null,
    metadata: {},
  };
}

/** One of 97 words in each passage. */
export function plainWords(number: number): SparseVector {
  return { indices: Uint32Array.of(number % 97), values: Float32Array.of(1) };
}

export async function testBase(
  passages: readonly ColdPassage[],
  { key, model, scanner }: { readonly key: string; readonly model: string; readonly scanner: Scanner },
): Promise<TestBase> {
  const vectors = createGridVectors(passages.length, passages[0]?.dense.length ?? 8);
  for (const [number, { dense }] of passages.entries()) writeGridVector(vectors, number, dense);
  const at = (number: number): ColdPassage => {
    const passage = passages[number];
    if (passage === undefined) throw new RangeError(`expected passage ${number}`);
    return passage;
  };
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const { base, documents } = await buildBase(
    { vectors, sparse: (number) => at(number).sparse, text: at },
    {
      key,
      model,
      scanner,
      put: (object, bytes) => {
        objects.set(object, bytes);
        return Promise.resolve();
      },
    },
  );
  const read: ReadPieces = (pieces) =>
    Promise.resolve(
      pieces.map(({ file, volume, offset, length, checksum }) => {
        const bytes = objects.get(volumeKey(base, file, volume))?.subarray(offset, offset + length);
        return bytes !== undefined && crc32c(bytes) === checksum ? bytes : null;
      }),
    );
  return { base, documents, objects, root: objects.get(rootKey(base)) ?? new Uint8Array(0), read };
}
