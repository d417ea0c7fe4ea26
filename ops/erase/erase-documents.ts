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

/** A document that is to be erased. */
export interface Doomed {
  readonly id: string;
  /** The only version that is meant; left out where whichever there is has to go. */
  readonly version?: string;
}

export interface ErasedDocument {
  readonly id: string;
  /** Null for a document that was gone before, or whose receipt is not known. */
  readonly receipt: string | null;
  /** It is gone, and an attempt without an answer may have done that: then there is a receipt, and nobody here knows its address. */
  readonly receipt_lost?: true;
}

/** A document that has another version than the one that was meant, so it is still there. */
export interface ChangedDocument {
  readonly id: string;
  readonly version: string;
  /** Null where this key may not read it. */
  readonly now: string | null;
}

type ErasingClient = Pick<Client, "erase" | "document">;

/**
 * Resolves when each document has a receipt, was gone before, has lost its receipt, or is told as changed. What fails for the moment is tried again; anything
 * else ends all, and what was erased before has been told.
 */
export async function eraseDocuments(
  documents: readonly Doomed[],
  {
    client,
    erased,
    changed,
  }: {
    readonly client: ErasingClient;
    readonly erased: (document: ErasedDocument) => void;
    readonly changed: (document: ChangedDocument) => void;
  },
): Promise<void> {
  const next = documents.values();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (const document of next) {
      if (hasFailed) return;
      try {
        const outcome = await erase(client, document);
        if ("receipt" in outcome) erased(outcome);
        else changed(outcome);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: IN_FLIGHT_MAX }, worker));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function erase(
  client: ErasingClient,
  { id, version }: Doomed,
): Promise<ErasedDocument | ChangedDocument> {
  let gone: ErasedDocument = { id, receipt: null };
  try {
    const { receipt } = await patiently(
      () => client.erase(id, version === undefined ? {} : { version }),
      ({ code }) => {
        // What the caller is told to do later was not done; whatever failed in the network may have been.
        if (ERROR_KINDS[code].fault === "network") gone = { ...gone, receipt_lost: true };
      },
    );
    return { id, receipt };
  } catch (error) {
    if (!(error instanceof KattegatError)) throw error;
    if (error.code === "not_found") return gone;
    if (error.code !== "version_mismatch" || version === undefined) throw error;
    return (await whatIsThere(client, { id, version })) ?? gone;
  }
}

/** Null for a document that is gone: it has no version to match either. */
async function whatIsThere(
  client: ErasingClient,
  { id, version }: Required<Doomed>,
): Promise<ChangedDocument | null> {
  try {
    return { id, version, now: (await patiently(() => client.document(id))).version };
  } catch (error) {
    if (!(error instanceof KattegatError)) throw error;
    if (error.code === "not_found") return null;
    if (error.code !== "residency_refused" && error.code !== "forbidden") throw error;
    return { id, version, now: null };
  }
}

async function patiently<T>(
  ask: () => Promise<T>,
  failed: (error: KattegatError) => void = () => {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = error instanceof KattegatError && ERROR_KINDS[error.code].retryable;
      if (!isPassing || attempt === ATTEMPTS_MAX) throw error;
      failed(error);
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
