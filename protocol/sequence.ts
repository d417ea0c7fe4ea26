/** The place of a change in the primary's log. */
import { z } from "zod";

/** A sequence on the wire: a decimal string, since JSON numbers end at 2^53. */
export const sequenceSchema = z
  .string()
  .regex(/^(0|[1-9]\d{0,18})$/, 'expected a sequence: a decimal string such as "204"')
  .meta({ id: "Sequence", description: "A place in the primary's log, in commit order." });

export const SEQUENCE_ZERO = "0";

/** Negative when `a` comes before `b`. */
export function compareSequences(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

export function earlierSequence(a: string, b: string): string {
  return compareSequences(a, b) <= 0 ? a : b;
}

export function laterSequence(a: string, b: string): string {
  return compareSequences(a, b) >= 0 ? a : b;
}

/** How many changes `watermark` is behind `head`; never negative. */
export function changesBehind(head: string, watermark: string): number {
  return Math.max(0, Number(BigInt(head) - BigInt(watermark)));
}

export const fenceSchema = z.strictObject({ epoch: z.int().min(0), sequence: sequenceSchema });

/** A sequence together with the reign that issued it: a later epoch wins over any sequence. */
export type Fence = Readonly<z.infer<typeof fenceSchema>>;

export const FENCE_ZERO: Fence = { epoch: 0, sequence: SEQUENCE_ZERO };

/** Negative when `a` is older than `b`. */
export function compareFences(a: Fence, b: Fence): number {
  return a.epoch - b.epoch || compareSequences(a.sequence, b.sequence);
}
