/** The Worker with buckets that fail as they are told to: `PUT /test/faults` with a `Faults`. */
import {
  instrumentedInvocation,
  instrumentedWorker,
  type AroundRead,
} from "./instrumented-worker.fixture.ts";

export interface Faults {
  readonly kind: "error" | "throttled" | "unavailable" | "hang" | "slow";
  /** Of the reads that fail. */
  readonly share: number;
  readonly seed: number;
  /** Keys that may fail begin so. */
  readonly prefix?: string;
}

/** As the binding throws them. */
const MESSAGES = {
  error: "get: Unspecified error (0)",
  throttled: "get: Reduce your concurrent request rate for the same object. (10058)",
  unavailable: "get: We encountered an internal error. Please try again. (10001)",
} as const;
const SLOW_MS = 300;

let faults: Faults | null = null;
let state = 0;

function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const troubled: AroundRead = async ({ key, make }) => {
  if (faults === null || !key.startsWith(faults.prefix ?? "") || random() >= faults.share) return make();
  if (faults.kind === "slow") {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    return make();
  }
  if (faults.kind === "hang") return new Promise(() => undefined);
  throw new Error(MESSAGES[faults.kind]);
};

export class OtherInvocation extends instrumentedInvocation(() => troubled) {}

export default instrumentedWorker(
  () => troubled,
  async (request) => {
    const told: Faults | null = await request.json();
    faults = told;
    state = told?.seed ?? 0;
    return new Response(null, { status: 204 });
  },
);
