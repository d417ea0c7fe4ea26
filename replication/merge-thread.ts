/** The thread in which segments are merged. */
import { parentPort, workerData } from "node:worker_threads";
import { encodeSegment, openSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { z } from "zod";
import type { MergeAnswer } from "./merge-segments.ts";
import { readScanner } from "./scanner.ts";

const aboutSchema = z.object({ model: z.string(), dimensions: z.int() });
const orderSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("segment"),
    bytes: z.instanceof(Uint8Array),
    checksum: z.string(),
    tombstones: z.array(z.string()),
  }),
  z.object({ kind: z.literal("finish") }),
]);

const about = aboutSchema.parse(workerData);
const scanner = readScanner();
const living: ColdPassage[] = [];

type SegmentOrder = Extract<z.infer<typeof orderSchema>, { kind: "segment" }>;

async function take({ bytes, checksum, tombstones }: SegmentOrder): Promise<void> {
  const dead = new Set(tombstones);
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    Promise.resolve(bytes.subarray(offset, offset + length));
  const segment = await openSegment(read, { scanner, totalBytes: bytes.byteLength, checksum });
  for await (const passage of segment.readAll()) if (!dead.has(passage.documentId)) living.push(passage);
}

function finish(): MergeAnswer {
  const versions = new Map(living.map(({ documentId, version }) => [documentId, version]));
  const documents = Array.from(versions, ([documentId, version]) => ({ documentId, version }));
  const bytes = living.length === 0 ? null : new Uint8Array(encodeSegment(living, about));
  return { kind: "merged", bytes, documents, passages: living.length };
}

function answer(message: MergeAnswer): void {
  const moved = message.kind === "merged" && message.bytes !== null ? [message.bytes.buffer] : [];
  parentPort?.postMessage(message, moved);
}

parentPort?.on("message", (message: unknown) => {
  const order = orderSchema.parse(message);
  if (order.kind === "finish") answer(finish());
  // A rejection ends the thread with an error, which its owner hears.
  else void take(order).then(() => answer({ kind: "taken" }));
});
