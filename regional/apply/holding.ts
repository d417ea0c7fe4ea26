/** What a site knows of one document: a copy, or that it may no longer have one. */
import { compareFences, fenceSchema } from "@kattegat/protocol/sequence.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";

/** Digest of a withdrawal: two withdrawals at one fence are the same change. */
export const WITHDRAWN = "withdrawn";

export const holdingSchema = z.object({
  ...fenceSchema.shape,
  digest: z.string(),
  /** Passages of the copy; 0 for none. */
  passages: z.int().min(0),
  /** No passage above it can exist, not even after a write that failed half-way: the most that the document ever had here. */
  ordinal_max: z.int().min(0),
  /** Written behind the watermark, which then does not tell whether the write was completed. */
  late: z.boolean(),
});
export type Holding = Readonly<z.infer<typeof holdingSchema>>;

/** Whether the write of what is held was completed for certain. */
export function isComplete(holding: Holding, watermark: Fence): boolean {
  return !holding.late && compareFences(fenceOf(holding), watermark) <= 0;
}

export function fenceOf({ epoch, sequence }: Holding): Fence {
  return { epoch, sequence };
}
