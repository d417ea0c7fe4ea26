/** The making of passages in a thread of its own, beside the one that commits and answers. */
import { Worker, type ResourceLimits } from "node:worker_threads";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { unpackPassages } from "./packed-passages.ts";
import { passageReplySchema, type PassageOrder, type PassageThread } from "./passage-order.ts";
import type { PassageSource, PreparedPassage } from "./passages.ts";

/** Words that it remembers, with the passages of the largest document. */
const HEAP_MIB: ResourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };

/** The first may have ended by what the documents before had left in its memory; a new one has only this document. */
const ENDED_THREADS_MAX = 2;

export interface PassagesInThreadOptions extends PassageThread {
  /** Hears why a thread ended that was not closed. */
  readonly report: (error: unknown) => void;
  readonly heapMib?: ResourceLimits;
  /** What runs in the thread. */
  readonly module?: URL;
}

interface Order {
  readonly source: PassageOrder["source"];
  readonly made: PromiseWithResolvers<readonly PreparedPassage[]>;
  /** Threads that ended while they made its passages. */
  endedThreads: number;
}

interface Running {
  readonly worker: Worker;
  /** Not answered yet, in the order in which the thread takes them. */
  readonly orders: Map<number, Order>;
  /** The order that the thread took last; null before the first. */
  begun: number | null;
}

/**
 * Of the embedder that needs no model: an artefact would be in memory twice.
 *
 * A document that ends the thread twice is refused alone; those that waited behind it are made in the next thread.
 */
export class PassagesInThread {
  readonly #options: PassagesInThreadOptions;
  #running: Running | null = null;
  #numbers = 0;

  constructor(options: PassagesInThreadOptions) {
    this.#options = options;
  }

  /** @throws {KattegatError} `bad_document` when the document ends the thread, `unavailable` when there is none; else what failed in it, as without a thread. */
  prepare({ text, lang, passages }: PassageSource): Promise<readonly PreparedPassage[]> {
    const order: Order = {
      source: { text, lang, passages: passages === null ? null : [...passages] },
      made: Promise.withResolvers(),
      endedThreads: 0,
    };
    this.#send(order);
    return order.made.promise;
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.worker.terminate();
  }

  #send(order: Order): void {
    const message: PassageOrder = { number: (this.#numbers += 1), source: order.source };
    try {
      // With the first long document: a primary that nobody writes to needs no thread.
      const running = (this.#running ??= this.#start());
      running.worker.postMessage(message, []);
      running.orders.set(message.number, order);
    } catch (cause) {
      // The machine has no room for a thread.
      order.made.reject(unavailable(cause));
    }
  }

  #start(): Running {
    const { dimensions, heapMib = HEAP_MIB } = this.#options;
    const module = this.#options.module ?? new URL("./passage-thread.ts", import.meta.url);
    const worker = new Worker(module, { workerData: { dimensions }, resourceLimits: heapMib });
    const running: Running = { worker, orders: new Map(), begun: null };
    worker.on("message", (raw: unknown) => {
      const reply = passageReplySchema.parse(raw);
      if ("begun" in reply) {
        running.begun = reply.begun;
        return;
      }
      const order = running.orders.get(reply.number);
      running.orders.delete(reply.number);
      if ("made" in reply) order?.made.resolve(unpackPassages(reply.made, dimensions));
      else order?.made.reject(reply.failure);
    });
    let cause: unknown = null;
    worker.on("error", (error: unknown) => {
      cause = error;
    });
    // After the last message of the thread.
    worker.on("exit", (code) => this.#ended(running, cause ?? new Error(`It ended with code ${code}.`)));
    return running;
  }

  #ended(running: Running, cause: unknown): void {
    const isClosed = this.#running !== running;
    if (!isClosed) {
      this.#running = null;
      this.#options.report(cause);
    }
    // One that took no order does not start at all: the next would not either.
    if (isClosed || running.begun === null) {
      for (const { made } of running.orders.values()) made.reject(unavailable(cause));
      return;
    }
    const suspect = running.orders.get(running.begun);
    if (suspect !== undefined) suspect.endedThreads += 1;
    // No thread ends without an answer or a count of its suspect, so each order is sent a bounded number of times.
    for (const order of running.orders.values())
      if (order.endedThreads < ENDED_THREADS_MAX) this.#send(order);
      else order.made.reject(refusal(cause));
  }
}

function unavailable(cause: unknown): KattegatError {
  return new KattegatError("unavailable", "The passages could not be made; repeat the write.", { cause });
}

function refusal(cause: unknown): KattegatError {
  const isOutOfMemory =
    cause instanceof Error && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY";
  const detail = isOutOfMemory
    ? "Expected a document whose passages can be made in the memory that there is for one. Store it in parts."
    : `Expected a document whose passages can be made; making them has ended ${ENDED_THREADS_MAX} threads.`;
  return new KattegatError("bad_document", detail, { cause });
}
