/** Erases documents through the public contract, and follows their receipts. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Receipt } from "@kattegat/protocol/documents.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Client } from "../client/client.ts";

/** The primary commits them in groups; more only wait there. */
const IN_FLIGHT_MAX = 16;
const POLL_MS = 1_000;

export interface ErasedDocument {
  readonly id: string;
  /** Null for a document that was gone before. */
  readonly receipt: string | null;
}

/** Resolves with a receipt for each id, in the order of their deletions. */
export async function eraseDocuments(
  ids: readonly string[],
  {
    client,
    erased,
  }: { readonly client: Pick<Client, "erase">; readonly erased: (document: ErasedDocument) => void },
): Promise<void> {
  const next = ids.values();
  const worker = async (): Promise<void> => {
    for (const id of next) erased({ id, receipt: await receiptOf(client, id) });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, worker));
}

async function receiptOf(client: Pick<Client, "erase">, id: string): Promise<string | null> {
  try {
    return (await client.erase(id)).receipt;
  } catch (error) {
    if (error instanceof KattegatError && error.code === "not_found") return null;
    throw error;
  }
}

/** Resolves with the receipts that are not complete when the time is over. */
export async function awaitReceipts(
  receipts: readonly string[],
  {
    client,
    timeoutMs,
    progress,
  }: {
    readonly client: Pick<Client, "receipt">;
    readonly timeoutMs: number;
    readonly progress: (complete: number) => void;
  },
): Promise<readonly Receipt[]> {
  const endsAt = performance.now() + timeoutMs;
  const open = new Set(receipts);
  for (;;) {
    const unfinished: Receipt[] = [];
    for (const path of open) {
      const receipt = await client.receipt(path);
      if (receipt.completed_at === null) unfinished.push(receipt);
      else open.delete(path);
    }
    progress(receipts.length - open.size);
    if (open.size === 0 || performance.now() >= endsAt) return unfinished;
    await sleep(POLL_MS);
  }
}
