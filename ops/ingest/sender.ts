/** Sender of documents to the batch endpoint. */
import { ERROR_KINDS, KattegatError, isErrorCode } from "@kattegat/protocol/errors.ts";
import { setImmediate as nextTurn, setTimeout as sleepFor } from "node:timers/promises";
import { NoConnectionError, type Client } from "../client/client.ts";

/** Two batches keep the primary busy while one answer is on its way; more only wait in its queue. */
const BATCHES_IN_FLIGHT_MAX = 3;
/** Bounds what one lost connection repeats; about a second of work at 2,000 passages a second. */
const BATCH_DOCUMENTS_MAX = 200;
const BATCH_PASSAGES_MAX = 2_000;
const BATCH_CHARACTERS_MAX = 4 * 1_024 * 1_024;
/** A restart of the primary with a full index stays below this. */
const PATIENCE_MS_MAX = 120_000;
const RETRY_MS_FIRST = 200;
const RETRY_MS_MAX = 5_000;

/** One document on its way; `line` is its place in the source. */
export interface OutgoingDocument {
  readonly line: number;
  readonly id: string;
  readonly passages: number;
  readonly json: string;
}

export interface RefusedLine {
  readonly line: number;
  readonly id: string | null;
  readonly code: string;
  readonly detail: string;
}

export interface SenderEvents {
  readonly acknowledged: (document: OutgoingDocument) => void;
  readonly refused: (line: RefusedLine) => void;
  /** The connection is lost or the network is busy; the next attempt follows after `delayMs`. */
  readonly waiting: (reason: string, delayMs: number) => void;
}

export interface SenderOptions {
  readonly client: Pick<Client, "batch">;
  readonly events: SenderEvents;
  readonly signal?: AbortSignal;
  /** Resolves after the time, or early when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>;
  readonly random?: () => number;
  readonly nowMs?: () => number;
}

/**
 * Sends every document. Resolves when each is acknowledged or refused.
 * Documents of one id go in the order of the source.
 *
 * @throws {NoConnectionError} when nobody answers for two minutes, {KattegatError} when the network refuses all.
 */
export async function sendDocuments(
  documents: AsyncIterable<OutgoingDocument>,
  options: SenderOptions,
): Promise<void> {
  const inFlight = new Map<Promise<void>, ReadonlySet<string>>();
  const failure: { error: unknown } = { error: null };
  let batch: OutgoingDocument[] = [];
  let passages = 0;
  let characters = 0;
  const settle = async (until: number): Promise<void> => {
    while (inFlight.size > until && failure.error === null) await Promise.race(inFlight.keys());
    if (failure.error !== null) throw failure.error;
  };
  const dispatch = async (): Promise<void> => {
    const current = batch;
    batch = [];
    passages = 0;
    characters = 0;
    if (current.length === 0) return;
    const ids = new Set(current.map(({ id }) => id));
    // An earlier text of the same document must not arrive after a later one.
    while ([...inFlight.values()].some((others) => !others.isDisjointFrom(ids)))
      await settle(inFlight.size - 1);
    await settle(BATCHES_IN_FLIGHT_MAX - 1);
    const sending = sendBatch(current, options).then(
      () => void inFlight.delete(sending),
      (error: unknown) => {
        failure.error ??= error;
        inFlight.delete(sending);
      },
    );
    inFlight.set(sending, ids);
    // A source that never waits would keep the request from leaving, and servers close a connection that stays silent.
    await nextTurn();
  };
  try {
    await feed();
  } catch (error) {
    // What is on its way when it was stopped still arrives, and counts.
    if (options.signal?.aborted === true) await Promise.all(inFlight.keys());
    throw error;
  }

  async function feed(): Promise<void> {
    for await (const document of documents) {
      if (options.signal?.aborted === true) break;
      const full =
        batch.length >= BATCH_DOCUMENTS_MAX ||
        passages + document.passages > BATCH_PASSAGES_MAX ||
        characters + document.json.length > BATCH_CHARACTERS_MAX;
      if (full || batch.some(({ id }) => id === document.id)) await dispatch();
      batch.push(document);
      passages += document.passages;
      characters += document.json.length;
    }
    if (options.signal?.aborted !== true) await dispatch();
    await settle(0);
  }
}

async function sendBatch(documents: readonly OutgoingDocument[], options: SenderOptions): Promise<void> {
  const { client, events, sleep = rest, random = Math.random, nowMs = () => performance.now() } = options;
  let left = documents;
  let attempt = 0;
  let progressMs = nowMs();
  while (left.length > 0) {
    options.signal?.throwIfAborted();
    const { retried, error } = await attemptBatch(left, client, events);
    if (retried.length < left.length) {
      progressMs = nowMs();
      attempt = 0;
    }
    left = retried;
    if (left.length === 0) return;
    if (error instanceof KattegatError && error.code === "too_large" && left.length > 1) {
      const middle = Math.ceil(left.length / 2);
      await sendBatch(left.slice(0, middle), options);
      left = left.slice(middle);
      continue;
    }
    if (!isRetryable(error)) throw error;
    if (nowMs() - progressMs > PATIENCE_MS_MAX) throw error;
    const given = error instanceof KattegatError ? error.retryAfterSeconds : null;
    const delayMs =
      given === null
        ? Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** attempt) * (0.5 + random() / 2)
        : given * 1_000;
    attempt += 1;
    events.waiting(error.message, Math.round(delayMs));
    await sleep(delayMs, options.signal);
  }
}

async function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleepFor(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/** One request; what it did not settle comes back. */
async function attemptBatch(
  documents: readonly OutgoingDocument[],
  client: Pick<Client, "batch">,
  events: SenderEvents,
): Promise<{ readonly retried: readonly OutgoingDocument[]; readonly error: Error }> {
  const open = new Map(documents.map((document, index) => [index + 1, document]));
  let error: Error = new NoConnectionError("The answer ended before the last line.");
  try {
    for await (const result of client.batch(documents.map(({ json }) => json))) {
      const document = open.get(result.line);
      if (document === undefined) continue;
      if (result.status < 300) {
        open.delete(result.line);
        events.acknowledged(document);
        continue;
      }
      const { code, detail } = result.error ?? {
        code: "internal",
        detail: "The line failed without a reason.",
      };
      if (isErrorCode(code) && ERROR_KINDS[code].retryable) {
        error = new KattegatError(code, detail);
        continue;
      }
      open.delete(result.line);
      events.refused({ line: document.line, id: document.id, code, detail });
    }
  } catch (cause) {
    error = cause instanceof Error ? cause : new Error(String(cause));
  }
  return { retried: [...open.values()], error };
}

function isRetryable(error: Error): boolean {
  return (
    error instanceof NoConnectionError ||
    (error instanceof KattegatError && ERROR_KINDS[error.code].retryable)
  );
}
