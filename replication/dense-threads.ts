/** Threads for the work on the vectors of a base that is being made. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import {
  denseInThreads,
  type DensePort,
  type FromDenseThread,
  type ToDenseThread,
} from "@kattegat/engine/cold/base/dense/dense-threads.ts";
import type { GridVectors } from "@kattegat/engine/cold/base/dense/dense-vectors.ts";
import type { DenseWork } from "@kattegat/engine/cold/base/dense/dense-work.ts";

/** Rows are assigned in both; then one writes codes while the thread that started them writes the rest. */
const THREADS_MAX = 2;

export interface DenseThreads {
  readonly work: DenseWork;
  stop(): Promise<void>;
}

/** @param vectors - in shared memory. Returns null on a machine with one core, where threads would only cost. */
export function startDenseThreads(
  vectors: GridVectors,
  cores: number = availableParallelism(),
): DenseThreads | null {
  const count = Math.min(THREADS_MAX, cores);
  if (count < 2) return null;
  const threads = Array.from(
    { length: count },
    () => new Worker(new URL("./dense-thread.ts", import.meta.url), { workerData: vectors }),
  );
  return {
    work: denseInThreads(threads.map(portOf)),
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function portOf(thread: Worker): DensePort<ToDenseThread, FromDenseThread> {
  const ended = once(thread, "exit").then((): never => {
    throw new Error("expected an answer, the thread has ended");
  });
  // Nobody may be waiting for it.
  ended.catch(() => {});
  return {
    post: (message) => thread.postMessage(message),
    async next() {
      const [message] = await Promise.race([once(thread, "message"), ended]);
      return message;
    },
  };
}
