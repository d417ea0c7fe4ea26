/** The Worker with an object store as far away as a real one. */
import {
  instrumentedRangeReader,
  instrumentedWorker,
  type AroundRead,
} from "@kattegat/edge/testing/instrumented-worker.fixture.ts";
import { WAITING_CONNECTIONS_MAX } from "@kattegat/edge/cold/connections.ts";
import { createConnectionLimit } from "./connection-limit.ts";
import { createSlowStore } from "./slow-store.ts";
import { createStoreLatency } from "./store-latency.ts";

const latencyMs = createStoreLatency({ random: Math.random });
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** For one invocation. */
function slowReads(): AroundRead {
  const connections = createConnectionLimit(WAITING_CONNECTIONS_MAX);
  const slow = createSlowStore({ latencyMs, sleep, connections });
  return (_, read) => slow(read);
}

export class RangeReader extends instrumentedRangeReader(slowReads) {}

export default instrumentedWorker(slowReads);
