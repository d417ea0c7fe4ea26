/** The making of passages in a thread of its own, beside the one that commits and answers. */
import { Worker } from "node:worker_threads";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { unpackPassages } from "./packed-passages.ts";
import { passageReplySchema, type PassageOrder, type PassageThread } from "./passage-order.ts";
import type { PassageSource, PreparedPassage } from "./passages.ts";

/** Words that it remembers, with the passages of the largest document. */
const HEAP_MIB = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };

/** Of the embedder that needs no model: an artefact would be in memory twice. */
export class PassagesInThread {
  readonly #options: PassageThread;
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly PreparedPassage[]>>();
  #thread: Worker | null = null;
  #orders = 0;

  constructor(options: PassageThread) {
    this.#options = options;
  }

  prepare({ text, lang, passages }: PassageSource): Promise<readonly PreparedPassage[]> {
    // With the first long document: a primary that nobody writes to needs no thread.
    this.#thread ??= this.#start();
    const number = (this.#orders += 1);
    const made = Promise.withResolvers<readonly PreparedPassage[]>();
    this.#waiting.set(number, made);
    const order: PassageOrder = {
      number,
      source: { text, lang, passages: passages === null ? null : [...passages] },
    };
    this.#thread.postMessage(order, []);
    return made.promise;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL("./passage-thread.ts", import.meta.url), {
      workerData: this.#options,
      resourceLimits: HEAP_MIB,
    });
    thread.on("message", (raw: unknown) => {
      const reply = passageReplySchema.parse(raw);
      const waiting = this.#waiting.get(reply.number);
      this.#waiting.delete(reply.number);
      if ("made" in reply) waiting?.resolve(unpackPassages(reply.made, this.#options.dimensions));
      else waiting?.reject(reply.failure);
    });
    let cause: unknown = null;
    thread.on("error", (error: unknown) => {
      cause = error;
    });
    thread.on("exit", () => {
      if (this.#thread === thread) this.#thread = null;
      const ended = new KattegatError("unavailable", "The passages could not be made; repeat the write.", {
        cause,
      });
      for (const waiting of this.#waiting.values()) waiting.reject(ended);
      this.#waiting.clear();
    });
    return thread;
  }
}
