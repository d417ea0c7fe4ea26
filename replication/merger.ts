/** One segment made of what lives in several. */
import { encodeSegment, openSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { MergedSegment, MergeInput } from "./merge-segments.ts";

export interface Merger {
  take(input: MergeInput): Promise<void>;
  finish(): MergedSegment;
}

export function createMerger(options: {
  readonly model: string;
  readonly dimensions: number;
  readonly scanner: Scanner;
}): Merger {
  const { scanner } = options;
  const living: ColdPassage[] = [];
  return {
    async take({ bytes, checksum, tombstones }) {
      const dead = new Set(tombstones);
      const read = (offset: number, length: number): Promise<Uint8Array> =>
        Promise.resolve(bytes.subarray(offset, offset + length));
      const segment = await openSegment(read, { scanner, totalBytes: bytes.byteLength, checksum });
      for await (const passage of segment.readAll()) if (!dead.has(passage.documentId)) living.push(passage);
    },
    finish() {
      const versions = new Map(living.map(({ documentId, version }) => [documentId, version]));
      const documents = Array.from(versions, ([documentId, version]) => ({ documentId, version }));
      const bytes = living.length === 0 ? null : new Uint8Array(encodeSegment(living, options));
      return { kind: "merged", bytes, documents, passages: living.length };
    },
  };
}
