/** The making of a base, in a thread of its own: clustering keeps a core busy for minutes, which no search may wait for. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { madeSchema, type BaseOrder, type MadeBase } from "./base-order.ts";

/** Resolves when every file is on the disk; nothing names them yet. */
export async function makeBase(order: BaseOrder, signal: AbortSignal): Promise<MadeBase> {
  const thread = new Worker(new URL("./base-thread.ts", import.meta.url), { workerData: order });
  try {
    const [made]: unknown[] = await once(thread, "message", { signal });
    return madeSchema.parse(made);
  } finally {
    await thread.terminate();
  }
}
