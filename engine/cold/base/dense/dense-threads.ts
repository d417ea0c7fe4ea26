/** Work on vectors in threads that share them. */
import type { Scanner } from "../../../vector/scan.ts";
import type { AssignTask } from "./cluster-assignment.ts";
import type { Clustering } from "./cluster.ts";
import type { GridVectors } from "./dense-vectors.ts";
import { denseHere, type DenseWork, type PutCodes, type WrittenCodes } from "./dense-work.ts";

/** What a thread is told. */
export type ToDenseThread =
  | { readonly kind: "assign"; readonly task: AssignTask }
  | { readonly kind: "write-codes"; readonly clustering: Clustering }
  | { readonly kind: "stored" };

/** What a thread answers. */
export type FromDenseThread =
  | { readonly kind: "assigned"; readonly lists: Uint16Array }
  | { readonly kind: "put"; readonly volume: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "written"; readonly codes: WrittenCodes };

/** One end of a channel between threads. */
export interface DensePort<Sent, Received> {
  post(message: Sent): void;
  /** Resolves with the next message. @throws when the other end is gone. */
  next(): Promise<Received>;
}

/** Shares the work among threads, each of which runs `serveDense`; a task that is not done yet waits for the next free one. */
export function denseInThreads(ports: readonly DensePort<ToDenseThread, FromDenseThread>[]): DenseWork {
  const free = [...ports];
  const waiting: ((port: DensePort<ToDenseThread, FromDenseThread>) => void)[] = [];

  async function withPort<Result>(
    work: (port: DensePort<ToDenseThread, FromDenseThread>) => Promise<Result>,
  ): Promise<Result> {
    const port = free.pop() ?? (await new Promise<(typeof ports)[number]>((taken) => waiting.push(taken)));
    try {
      return await work(port);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free.push(port);
      else next(port);
    }
  }

  return {
    isElsewhere: true,
    assign: (task) =>
      withPort(async (port) => {
        port.post({ kind: "assign", task });
        const answer = await port.next();
        if (answer.kind !== "assigned") throw new Error(`expected assigned rows, got ${answer.kind}`);
        return answer.lists;
      }),
    writeCodes: (clustering, put) =>
      withPort(async (port) => {
        port.post({ kind: "write-codes", clustering });
        for (;;) {
          const answer = await port.next();
          if (answer.kind === "written") return answer.codes;
          if (answer.kind !== "put") throw new Error(`expected codes, got ${answer.kind}`);
          await put(answer.volume, answer.bytes);
          port.post({ kind: "stored" });
        }
      }),
  };
}

/** Does what it is told about these vectors until its thread is ended. */
export async function serveDense(
  port: DensePort<FromDenseThread, ToDenseThread>,
  vectors: GridVectors,
  scanner: Scanner,
): Promise<never> {
  const here = denseHere(vectors, scanner);
  const put: PutCodes = async (volume, bytes) => {
    port.post({ kind: "put", volume, bytes });
    const answer = await port.next();
    if (answer.kind !== "stored")
      throw new Error(`expected to be told that codes are stored, got ${answer.kind}`);
  };
  for (;;) {
    const message = await port.next();
    if (message.kind === "assign") port.post({ kind: "assigned", lists: await here.assign(message.task) });
    else if (message.kind === "write-codes")
      port.post({ kind: "written", codes: await here.writeCodes(message.clustering, put) });
    else throw new Error(`expected something to do, got ${message.kind}`);
  }
}
