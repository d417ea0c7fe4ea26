import type { Scanner } from "../../../vector/scan.ts";
import type { PieceWriter } from "../piece.ts";
import type { Sections } from "../section-file.ts";
import { clusterPassages } from "./cluster.ts";
import { encodeDense, encodeRows } from "./dense-encoder.ts";
import type { GridVectors } from "./dense-vectors.ts";
import type { DenseWork, PutCodes } from "./dense-work.ts";

/** The same passages make the same base: a repetition is told by its checksums. */
const SEED = 1;

export interface BuiltDense {
  /** The input's number of each row. */
  readonly order: Uint32Array;
  /** Resolves when the codes are written as well. */
  finish(): Promise<{
    /** Resident, for the root. */
    readonly sections: Sections;
    /** Of codes. */
    readonly volumes: number;
  }>;
}

/** Groups vectors into lists and writes the dense half of their base; its codes may be written still when this resolves. */
export async function buildDense(
  vectors: GridVectors,
  options: {
    readonly scanner: Scanner;
    readonly work: DenseWork;
    readonly putCodes: PutCodes;
    /** For all but the codes. */
    readonly writer: PieceWriter;
    /** Writes what is to lie behind the block of these vectors in the same file. */
    readonly beside?: (numbers: Uint32Array) => Promise<void>;
    readonly progressed?: ((step: "clustering" | "codes" | "rows", share: number) => void) | undefined;
  },
): Promise<BuiltDense> {
  const { scanner, work, writer, progressed } = options;
  const clustering = await clusterPassages(vectors, {
    seed: SEED,
    scanner,
    assign: work.assign,
    progressed: (share) => progressed?.("clustering", share),
  });
  const { order } = clustering;
  progressed?.("codes", 0);
  const writing = work.writeCodes(clustering, options.putCodes);
  // A failure shows in `finish`; until then something else may fail first.
  writing.catch(() => {});
  if (!work.isElsewhere) await writing;
  progressed?.("rows", 0);
  const rows = await encodeRows(vectors, clustering, {
    writer,
    beside: async ({ from, to }) => {
      await options.beside?.(order.subarray(from, to));
    },
  });
  return {
    order,
    async finish() {
      const { volumes, ...codes } = await writing;
      return { sections: encodeDense(vectors, clustering, { codes, rows }), volumes };
    },
  };
}
