/** One sample document. */
import type { z } from "zod";
import type { batchLineSchema } from "@kattegat/protocol/documents.ts";

/** A line of a batch as a caller writes it. */
export type SampleDocument = z.input<typeof batchLineSchema>;

export interface Sample {
  /** Part of the smallest selection too. */
  readonly always: boolean;
  readonly make: () => SampleDocument;
}

/** Values for the classifier: importance alone makes a document hot, with use ultra-hot or warm. */
export const IMPORTANCE = {
  leading: 0.95,
  major: 0.75,
  common: 0.5,
  rare: 0.1,
} as const;
