import type { Scanner } from "../../../vector/scan.ts";
import type { PieceWriter } from "../piece.ts";
import type { Sections } from "../section-file.ts";
import { assignHere } from "./cluster-assignment.ts";
import { clusterPassages } from "./cluster.ts";
import { encodeDense } from "./dense-encoder.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** The same passages make the same base: a repetition is told by its checksums. */
const SEED = 1;

export interface BuiltDense {
  /** The input's number of each row. */
  readonly order: Uint32Array;
  /** Resident, for the root. */
  readonly sections: Sections;
}

/** Groups vectors into lists and writes the dense half of their base. */
export async function buildDense(
  vectors: GridVectors,
  options: {
    readonly scanner: Scanner;
    readonly writer: PieceWriter;
    /** Writes what is to lie behind the block of these vectors in the same file. */
    readonly beside?: (numbers: Uint32Array) => Promise<void>;
    readonly progressed?: ((step: "clustering" | "lists", share: number) => void) | undefined;
  },
): Promise<BuiltDense> {
  const { scanner, writer, progressed } = options;
  const clustering = await clusterPassages(vectors, {
    seed: SEED,
    scanner,
    assign: assignHere(vectors, scanner),
    progressed: (share) => progressed?.("clustering", share),
  });
  progressed?.("lists", 0);
  const { order } = clustering;
  const sections = await encodeDense(vectors, clustering, {
    writer,
    scanner,
    beside: async ({ from, to }) => {
      await options.beside?.(order.subarray(from, to));
    },
  });
  return { order, sections };
}
