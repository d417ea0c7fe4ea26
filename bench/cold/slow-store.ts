/** An object store as far away as a real one. */
import type { ConnectionLimit } from "./connection-limit.ts";

export interface SlowStoreOptions {
  /** How long the next read's headers take. */
  readonly latencyMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Of the invocation that reads. */
  readonly connections: ConnectionLimit;
}

/** Returns a function that delays a read as the store would; what the read itself takes comes on top. */
export function createSlowStore({
  latencyMs,
  sleep,
  connections,
}: SlowStoreOptions): <T>(read: () => Promise<T>) => Promise<T> {
  return async (read) => {
    await connections.run(() => sleep(latencyMs()));
    return read();
  };
}
