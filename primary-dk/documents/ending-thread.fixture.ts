/** The thread that makes passages, which certain texts end. */
import { parentPort } from "node:worker_threads";
import { ENDINGS } from "./endings.fixture.ts";
import { passageOrderSchema } from "./passage-order.ts";

// Its listener comes first: it has said that it began, and has answered nothing, when the one below hears of the order.
await import("./passage-thread.ts");

let orders = 0;

parentPort?.on("message", (raw: unknown) => {
  const { number, source } = passageOrderSchema.parse(raw);
  const { text } = source;
  orders += 1;
  if (text === ENDINGS.exit || (text === ENDINGS.once && orders > 1)) process.exit(3);
  if (text === ENDINGS.failure)
    parentPort?.postMessage({ number, failure: new RangeError("This text fails.") }, []);
  if (text === ENDINGS.error) throw new Error("This text ends the thread.");
  if (text === ENDINGS.late) void Promise.reject(new Error("This text ends the thread."));
});
