/** The thread in which passages are made. */
import { parentPort, workerData } from "node:worker_threads";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { packPassages } from "./packed-passages.ts";
import { passageOrderSchema, passageThreadSchema, type PassageReply } from "./passage-order.ts";
import { makePassages } from "./passages.ts";

const { dimensions } = passageThreadSchema.parse(workerData);
const embedder = createHashedEmbedder({ dimensions });
const pacer = { breathe: () => Promise.resolve() };

function say(reply: PassageReply): void {
  if (!("made" in reply)) {
    parentPort?.postMessage(reply, []);
    return;
  }
  const { places, dense, indices, values } = reply.made;
  parentPort?.postMessage(reply, [places.buffer, dense.buffer, indices.buffer, values.buffer]);
}

parentPort?.on("message", (raw: unknown) => {
  const { number, source } = passageOrderSchema.parse(raw);
  say({ begun: number });
  makePassages(source, { embedder, next: null, pacer }).then(
    (passages) => say({ number, made: packPassages(passages, dimensions) }),
    (error: unknown) => say({ number, failure: error instanceof Error ? error : new Error(String(error)) }),
  );
});
