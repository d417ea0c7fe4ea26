/** The Worker with an object store as far away as a real one. */
import { instrumentedWorker } from "@kattegat/edge/testing/instrumented-worker.fixture.ts";
import { createConnectionLimit, WAITING_CONNECTIONS_MAX } from "./connection-limit.ts";
import { createSlowStore } from "./slow-store.ts";
import { createStoreLatency } from "./store-latency.ts";

const latencyMs = createStoreLatency({ random: Math.random });
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export default instrumentedWorker(() => {
  const connections = createConnectionLimit(WAITING_CONNECTIONS_MAX);
  const slow = createSlowStore({ latencyMs, sleep, connections });
  return (_, read) => slow(read);
});
