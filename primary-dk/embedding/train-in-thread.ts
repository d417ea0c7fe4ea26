/** Trains an embedding in a thread of its own. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { TrainingProgress } from "@kattegat/engine/embedding/learned/train.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { trainingMessageSchema, type TrainingOrder } from "./train-order.ts";

/** Two million words with their counts are 0.6 GB; matrices lie outside of it, 0.8 GB at most. */
const HEAP_MIB_MAX = 4_096;

export type TrainingOutcome =
  | { readonly kind: "trained"; readonly model: string }
  | { readonly kind: "nothing-to-learn"; readonly passages: number };

/**
 * Resolves when the artefact is in the folder. The thread keeps a core busy for minutes, its caller stays awake.
 *
 * @throws {KattegatError} `unavailable` when Postgres cannot be used.
 */
export async function trainInThread(
  order: TrainingOrder,
  onProgress: (progress: TrainingProgress) => void,
): Promise<TrainingOutcome> {
  const thread = new Worker(new URL("./train-thread.ts", import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  try {
    for (;;) {
      const [received]: unknown[] = await once(thread, "message");
      const message = trainingMessageSchema.parse(received);
      if (message.kind === "progress") onProgress(message.progress);
      else if (message.kind === "unavailable")
        throw new KattegatError("unavailable", `Postgres cannot be used: ${message.code}.`);
      else return message;
    }
  } finally {
    await thread.terminate();
  }
}
