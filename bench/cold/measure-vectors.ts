/** Measures of one base made of vectors, taken in a process of its own. */
import { fork } from "node:child_process";
import { z } from "zod";

export const measureOrderSchema = z.object({
  /** A file that `openVectorFile` opens. */
  vectors: z.string(),
  /** Another one; null holds out rows of the first. */
  queries: z.string().nullable(),
  queriesMax: z.int(),
  /** Where the base is made, deleted at the end. */
  folder: z.string(),
});
export type MeasureOrder = Readonly<z.infer<typeof measureOrderSchema>>;

export const measuredSchema = z.object({
  passages: z.int(),
  dimensions: z.int(),
  queries: z.int(),
  lists: z.int(),
  entries: z.number(),
  readSeconds: z.number(),
  buildSeconds: z.number(),
  buildCpuSeconds: z.number(),
  peakMib: z.int(),
  bytes: z.int(),
  rootBytes: z.int(),
  residentBytes: z.int(),
  expected: z.object({ all: z.number(), hundredth: z.number() }),
  curve: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
});
export type MeasuredVectors = z.infer<typeof measuredSchema>;

/** @throws {Error} when the process ends without an answer. */
export async function measureVectors(order: MeasureOrder): Promise<MeasuredVectors> {
  const child = fork(new URL("./vector-process.ts", import.meta.url), [JSON.stringify(order)]);
  return await new Promise((resolve, reject) => {
    let measured: MeasuredVectors | null = null;
    child.on("message", (message) => {
      measured = measuredSchema.parse(message);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (measured === null)
        reject(new Error(`expected the measures of ${order.vectors}; the process ended with ${code}`));
      else resolve(measured);
    });
  });
}
