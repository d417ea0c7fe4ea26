/** The thread in which segments are merged. */
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import type { MergeAnswer } from "./merge-segments.ts";
import { createMerger } from "./merger.ts";
import { readScanner } from "./scanner.ts";

const aboutSchema = z.object({ model: z.string(), dimensions: z.int() });
const orderSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("segment"),
    bytes: z.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array),
    checksum: z.string(),
    tombstones: z.array(z.string()),
  }),
  z.object({ kind: z.literal("finish") }),
]);

const merger = createMerger({ ...aboutSchema.parse(workerData), scanner: readScanner() });

function answer(message: MergeAnswer): void {
  const moved = message.kind === "merged" && message.bytes !== null ? [message.bytes.buffer] : [];
  parentPort?.postMessage(message, moved);
}

parentPort?.on("message", (message: unknown) => {
  const order = orderSchema.parse(message);
  if (order.kind === "finish") answer(merger.finish());
  // A rejection ends the thread with an error, which its owner hears.
  else void merger.take(order).then(() => answer({ kind: "taken" }));
});
