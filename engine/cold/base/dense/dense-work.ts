import type { Scanner } from "../../../vector/scan.ts";
import { createVolumeWriter } from "../volume-writer.ts";
import { assignHere, type AssignRows } from "./cluster-assignment.ts";
import type { Clustering } from "./cluster.ts";
import { encodeCodes, type EncodedCodes } from "./code-encoder.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** Takes a volume of codes; one after another. */
export type PutCodes = (volume: number, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

export interface WrittenCodes extends EncodedCodes {
  readonly volumes: number;
}

/** The parts of the making of a base that need nothing but its vectors. */
export interface DenseWork {
  /** Whether another thread does it, so that this one has time for the other parts. */
  readonly isElsewhere: boolean;
  readonly assign: AssignRows;
  writeCodes(clustering: Clustering, put: PutCodes): Promise<WrittenCodes>;
}

/** In this thread. */
export function denseHere(vectors: GridVectors, scanner: Scanner): DenseWork {
  return {
    isElsewhere: false,
    assign: assignHere(vectors, scanner),
    async writeCodes(clustering, put) {
      const writer = createVolumeWriter((_, volume, bytes) => put(volume, bytes));
      const codes = await encodeCodes(vectors, clustering, { writer, scanner });
      const { codes: volumes } = await writer.finish();
      return { ...codes, volumes };
    },
  };
}
