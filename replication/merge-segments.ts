/** The merging of segments into one, in a thread of its own where there is much to merge. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { z } from "zod";
import { createMerger } from "./merger.ts";

/** Some 20 ms of work; a thread takes five times as long to start. */
const HERE_BYTES_MAX = 1_024 * 1_024;

const answerSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("taken") }),
  z.object({
    kind: z.literal("merged"),
    /** Null when nothing in the segments lives. */
    bytes: z.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array).nullable(),
    documents: z.array(z.object({ documentId: z.string(), version: z.string() })),
    passages: z.int(),
  }),
]);
export type MergeAnswer = z.infer<typeof answerSchema>;
export type MergedSegment = Extract<MergeAnswer, { kind: "merged" }>;

export interface MergeInput {
  /** Moves to the thread: of no use afterwards. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As the manifest says it: another segment in its place is not merged. */
  readonly checksum: string;
  readonly tombstones: readonly string[];
}

/** What is known before anything is read. */
interface About {
  readonly model: string;
  readonly dimensions: number;
  /** Of all inputs. */
  readonly bytes: number;
}

export type MergeSegments = (
  inputs: AsyncIterable<MergeInput>,
  about: About,
  signal: AbortSignal,
) => Promise<MergedSegment>;

/**
 * Resolves with one segment of everything in the inputs that is not entombed.
 *
 * Merging 64 MB in the main thread held every stream up for a second. Inputs are asked for one by one, so one of them
 * is in memory at a time, beside the living passages.
 */
export function createMergeSegments({ scanner }: { readonly scanner: Scanner }): MergeSegments {
  return (inputs, about, signal) =>
    about.bytes <= HERE_BYTES_MAX
      ? mergeHere(inputs, { ...about, scanner }, signal)
      : mergeInThread(inputs, about, signal);
}

/** In this thread: for little, and where nothing else waits for it. */
export async function mergeHere(
  inputs: AsyncIterable<MergeInput>,
  about: About & { readonly scanner: Scanner },
  signal: AbortSignal,
): Promise<MergedSegment> {
  const merger = createMerger(about);
  for await (const input of inputs) await merger.take(input);
  signal.throwIfAborted();
  return merger.finish();
}

const mergeInThread: MergeSegments = async (inputs, { model, dimensions }, signal) => {
  const thread = new Worker(new URL("./merge-thread.ts", import.meta.url), {
    workerData: { model, dimensions },
  });
  const ask = async (order: object, moved: readonly ArrayBuffer[] = []): Promise<MergeAnswer> => {
    const answered = once(thread, "message", { signal });
    thread.postMessage(order, [...moved]);
    const [message]: unknown[] = await answered;
    return answerSchema.parse(message);
  };
  try {
    for await (const input of inputs) {
      await ask({ kind: "segment", ...input }, [input.bytes.buffer]);
    }
    const answer = await ask({ kind: "finish" });
    if (answer.kind !== "merged") throw new Error("merge thread: expected the merged segment last");
    return answer;
  } finally {
    await thread.terminate();
  }
};
