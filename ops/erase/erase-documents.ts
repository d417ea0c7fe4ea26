/** Erases documents through the public contract, and follows their receipts. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Receipt } from "@kattegat/protocol/documents.ts";
import { ERROR_KINDS, KattegatError } from "@kattegat/protocol/errors.ts";
import type { Client } from "../client/client.ts";

/** The primary commits them in groups; more only wait there. */
const IN_FLIGHT_MAX = 16;
const POLL_MS = 1_000;
/** A restart of the primary stays below them. */
const ATTEMPTS_MAX = 12;
const RETRY_MS = 500;

export interface ErasedDocument {
  readonly id: string;
  /** Null for a document that was gone before. */
  readonly receipt: string | null;
}

/**
 * Resolves when each id has a receipt. What fails for the moment is tried again; anything else ends all, and what was erased before has
 * been told.
 */
export async function eraseDocuments(
  ids: readonly string[],
  {
    client,
    erased,
  }: { readonly client: Pick<Client, "erase">; readonly erased: (document: ErasedDocument) => void },
): Promise<void> {
  const next = ids.values();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (const id of next) {
      if (hasFailed) return;
      try {
        erased({ id, receipt: await receiptOf(client, id) });
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: IN_FLIGHT_MAX }, worker));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function receiptOf(client: Pick<Client, "erase">, id: string): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await client.erase(id)).receipt;
    } catch (error) {
      if (error instanceof KattegatError && error.code === "not_found") return null;
      const isPassing = error instanceof KattegatError && ERROR_KINDS[error.code].retryable;
      if (!isPassing || attempt === ATTEMPTS_MAX) throw error;
      await sleep(RETRY_MS * attempt);
    }
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
    readonly progress: (done: { readonly hidden: number; readonly complete: number }) => void;
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
    const shown = unfinished.filter(({ hidden_at }) => hidden_at === null).length;
    progress({ hidden: receipts.length - shown, complete: receipts.length - open.size });
    if (open.size === 0 || performance.now() >= endsAt) return unfinished;
    await sleep(POLL_MS);
  }
}
