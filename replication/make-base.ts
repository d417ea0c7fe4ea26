/** The making of a base, in a thread of its own. */
import { on } from "node:events";
import { Worker } from "node:worker_threads";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { z } from "zod";

const manifestBaseSchema = z.object({
  key: z.string(),
  root: z.object({ bytes: z.int(), checksum: z.string() }),
  volumes: z.object({
    codes: z.int(),
    rows: z.int(),
    postings: z.int(),
    columns: z.int(),
  }),
  passages: z.int(),
  documents: z.int(),
  tombstones: z.string(),
  dead: z.int(),
});

/** What goes into a base, where it comes to lie. */
export const baseOrderSchema = z.object({
  key: z.string(),
  model: z.string(),
  dimensions: z.int(),
  /** Passages at most. */
  capacity: z.int(),
  /** Where the texts wait until their rows are known. */
  folder: z.string(),
  base: z.object({ key: z.string(), rootBytes: z.int(), dead: z.array(z.int()) }).nullable(),
  segments: z.array(
    z.object({ key: z.string(), bytes: z.int(), checksum: z.string(), tombstones: z.array(z.string()) }),
  ),
});
export type BaseOrder = Readonly<z.infer<typeof baseOrderSchema>>;

const messageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("read"), key: z.string(), offset: z.int(), length: z.int() }),
  z.object({
    kind: z.literal("put"),
    key: z.string(),
    bytes: z.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array),
  }),
  z.object({
    kind: z.literal("built"),
    base: manifestBaseSchema,
    documents: z.array(z.object({ documentId: z.string(), version: z.string() })).readonly(),
  }),
]);
export type BaseMessage = z.infer<typeof messageSchema>;

export interface MadeBase {
  readonly base: ManifestBase;
  /** In the order of their numbers. */
  readonly documents: readonly { readonly documentId: string; readonly version: string }[];
}

export interface BaseStore {
  read(
    key: string,
    range: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array<ArrayBuffer>>;
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Resolves with the base when its last object is stored. Clustering keeps a core busy for minutes, which no stream may wait for. */
export async function makeBase(order: BaseOrder, store: BaseStore, signal: AbortSignal): Promise<MadeBase> {
  const thread = new Worker(new URL("./base-thread.ts", import.meta.url), { workerData: order });
  try {
    // Listens for as long as the thread lives: what it says, or dies of, while an object is stored is not lost.
    for await (const [received] of on(thread, "message", { signal, close: ["exit"] })) {
      const message = messageSchema.parse(received);
      if (message.kind === "built") return { base: message.base, documents: message.documents };
      if (message.kind === "put") {
        await store.put(message.key, message.bytes);
        thread.postMessage("stored");
      } else {
        const bytes = await store.read(message.key, message);
        thread.postMessage(bytes, [bytes.buffer]);
      }
    }
    throw new Error("base thread: expected the base last, it ended without");
  } finally {
    await thread.terminate();
  }
}
