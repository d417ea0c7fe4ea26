/** A thread that works on the vectors of a base; started by `startDenseThreads`. */
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { serveDense } from "@kattegat/engine/cold/base/dense/dense-threads.ts";
import { runInBackground } from "./background-thread.ts";
import { readScanner } from "./scanner.ts";

const owner = parentPort;
if (owner === null) throw new Error("this file runs as a thread");
runInBackground();
await serveDense(
  {
    post: (message) => owner.postMessage(message),
    async next() {
      const [message] = await once(owner, "message");
      return message;
    },
  },
  workerData,
  readScanner(),
);
