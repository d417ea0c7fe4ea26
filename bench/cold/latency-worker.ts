/** The Worker with an object store as far away as a real one. */
import { WAITING_CONNECTIONS_MAX } from "@kattegat/edge/cold/connections.ts";
import {
  instrumentedInvocation,
  instrumentedWorker,
  type AroundRead,
  type BucketRead,
} from "@kattegat/edge/testing/instrumented-worker.fixture.ts";
import { createConnectionLimit } from "./connection-limit.ts";
import { createSlowStore } from "./slow-store.ts";
import { createStoreLatency } from "./store-latency.ts";

/** Where the objects of bases are served from files; this machine's imitation of a bucket takes 6 ms of processor for each read. */
const STORE_HEADER = "x-test-store";
let store = "";

const latencyMs = createStoreLatency({ random: Math.random });
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** For one invocation. */
function slowReads(): AroundRead {
  const connections = createConnectionLimit(WAITING_CONNECTIONS_MAX);
  const slow = createSlowStore({ latencyMs, sleep, connections });
  return (read) => slow(() => (read.key.startsWith("bases/") ? fromFiles(read) : read.make()));
}

async function fromFiles({ key, options }: BucketRead): Promise<unknown> {
  const range = options?.range;
  const isRange = range !== undefined && "offset" in range && "length" in range;
  const { offset = 0, length = 0 } = isRange ? range : {};
  const headers: Record<string, string> = isRange ? { range: `bytes=${offset}-${offset + length - 1}` } : {};
  const answer = await fetch(`${store}/${key}`, { headers });
  if (!answer.ok) return null;
  const size = Number(answer.headers.get("content-length"));
  return Object.assign(answer, { size, range: { offset, length: size } });
}

export class OtherInvocation extends instrumentedInvocation(slowReads) {}

const { fetch: answered, ...others } = instrumentedWorker(slowReads);

export default {
  ...others,
  fetch(request, bindings, execution) {
    store = request.headers.get(STORE_HEADER) ?? store;
    if (answered === undefined) throw new Error("expected a Worker that answers");
    return answered(request, bindings, execution);
  },
} satisfies ExportedHandler<Parameters<NonNullable<typeof answered>>[1]>;
