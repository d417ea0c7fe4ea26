/** The thread in which a base is made. */
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { deflateRawSync } from "node:zlib";
import { buildBase } from "@kattegat/engine/cold/base/build-base.ts";
import { createPassageSpool } from "@kattegat/engine/cold/base/passage-spool.ts";
import { openSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { z } from "zod";
import { runInBackground } from "./background-thread.ts";
import { openBaseSource } from "./base-source.ts";
import { startDenseThreads, type DenseThreads } from "./dense-threads.ts";
import { baseOrderSchema, type BaseMessage } from "./make-base.ts";
import { readScanner } from "./scanner.ts";
import { createTextFile } from "./text-spool.ts";

runInBackground();

const order = baseOrderSchema.parse(workerData);
const scanner = readScanner();
const bytesSchema = z.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array);

let asked: Promise<unknown> = Promise.resolve();

/** Asks the owner, who has the way to the object store; one request after the other, since an answer does not say whose it is. */
function ask(message: BaseMessage, moved: readonly ArrayBuffer[] = []): Promise<unknown> {
  const answer = asked.then(() => exchange(message, moved));
  asked = answer.catch(() => null);
  return answer;
}

async function exchange(message: BaseMessage, moved: readonly ArrayBuffer[]): Promise<unknown> {
  if (parentPort === null) throw new Error("this file runs as a thread");
  const answered = once(parentPort, "message");
  parentPort.postMessage(message, [...moved]);
  const [answer]: unknown[] = await answered;
  return answer;
}

async function read(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  return bytesSchema.parse(await ask({ kind: "read", key, offset, length }));
}

async function* passages(): AsyncGenerator<ColdPassage> {
  const { base, segments } = order;
  if (base !== null) {
    const dead = new Set(base.dead);
    yield* (await openBaseSource(base, read)).passages((document) => !dead.has(document));
  }
  for (const { key, bytes, checksum, tombstones } of segments) {
    const hidden = new Set(tombstones);
    const whole = await read(key, 0, bytes);
    const segment = await openSegment(
      (offset, length) => Promise.resolve(whole.subarray(offset, offset + length)),
      { scanner, totalBytes: whole.byteLength, checksum },
    );
    for await (const passage of segment.readAll()) if (!hidden.has(passage.documentId)) yield passage;
  }
}

const texts = createTextFile({ ...order, name: order.key.replaceAll("/", "-") });
const spool = createPassageSpool({ ...order, texts });
let threads: DenseThreads | null = null;
try {
  for await (const passage of passages()) spool.add(passage);
  threads = startDenseThreads(spool.vectors);
  const built = await buildBase(spool, {
    ...order,
    scanner,
    ...(threads === null ? {} : { dense: threads.work }),
    deflate: deflateRawSync,
    put: async (key, bytes) => {
      await ask({ kind: "put", key, bytes }, [bytes.buffer]);
    },
  });
  parentPort?.postMessage({ kind: "built", ...built } satisfies BaseMessage);
} finally {
  await threads?.stop();
  texts.remove();
}
