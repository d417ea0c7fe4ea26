/** The one writer of a zone's manifest. */
import type { Cached } from "@kattegat/engine/cold/manifest-shape.ts";
import { emptyManifest, nextGeneration, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { withReservation } from "./cold-reservation.ts";
import type { EmbeddingCopy } from "./embedding-copy.ts";
import type { ColdStore, HeldManifest } from "./cold-store.ts";
import type { ColdTable } from "./cold-table.ts";

/** More conflicts in a row mean that two replications fight; the stream's own backoff then parts them. */
const ATTEMPTS_MAX = 5;
/** Returns the manifest wanted after `base`, or null to leave it. Runs again after a conflict, on the newer base. */
export type Edit = (base: ColdManifest) => ColdManifest | null;

export interface Reservation {
  readonly leaseMs?: number;
  /** The state of the log that the object is made of, where it is not made of what comes after the manifest's. */
  readonly after?: Fence;
}

export interface ColdPublisher {
  /** The manifest as the target has it now. */
  read(signal: AbortSignal): Promise<ColdManifest>;
  /** The manifest as last seen, with the table in step. */
  current(signal: AbortSignal): Promise<ColdManifest>;
  /**
   * Resolves with the manifest that is in force after the edit. Edits are made one after the other, each by
   * compare-and-swap, so a merge and a batch never lose each other's work.
   */
  publish(edit: Edit, signal: AbortSignal): Promise<ColdManifest>;
  /** Resolves when the object of this key may be uploaded; it is kept for `leaseMs` beyond the usual time. */
  reserve(key: string, signal: AbortSignal, options?: Reservation): Promise<void>;
  /** What an object that is published now notes: nothing while the zone's edge does not say that its caches heed it. */
  cached(): Cached;
  /** When this publisher last changed the manifest. */
  readonly publishedAtMs: number;
}

// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function createColdPublisher(parts: {
  readonly store: ColdStore;
  readonly table: ColdTable;
  readonly embedding: EmbeddingCopy;
  readonly model: string;
  readonly dimensions: number;
  readonly cacheSecondsMax: number;
  readonly now: () => number;
}): ColdPublisher {
  const { store, table, cacheSecondsMax, now } = parts;
  let held: HeldManifest | null = null;
  let isKnown = false;
  let publishedAtMs = 0;
  let queue: Promise<unknown> = Promise.resolve();

  async function load(signal: AbortSignal): Promise<ColdManifest> {
    if (!isKnown) {
      held = await store.readManifest(signal);
      isKnown = true;
    }
    const manifest = held?.manifest ?? emptyManifest(parts);
    assertModel(manifest, parts);
    await table.sync(manifest, signal);
    return manifest;
  }

  async function attempt(edit: Edit, signal: AbortSignal): Promise<ColdManifest> {
    for (let left = ATTEMPTS_MAX; ; left -= 1) {
      const base = await load(signal);
      const wanted = edit(base);
      if (wanted === null) return base;
      // Before anything of the model is published: a reader that meets its vectors can embed a query.
      await parts.embedding.ensure(signal);
      const next = nextGeneration({ ...base, garbage: wanted.garbage }, wanted, { nowMs: now() });
      const etag = held?.etag ?? null;
      // Until the answer is here, nobody knows which of the two is in force.
      isKnown = false;
      try {
        held = await store.writeManifest(next, etag, signal);
        isKnown = true;
        publishedAtMs = now();
        await table.sync(next, signal);
        return next;
      } catch (error) {
        if (left <= 1 || !(await isOvertaken(error, etag, signal))) throw error;
      }
    }
  }

  /** Whether another one was published meanwhile; its watermark may make ours look like one of an old reign. */
  async function isOvertaken(error: unknown, etag: string | null, signal: AbortSignal): Promise<boolean> {
    if (!(error instanceof KattegatError)) return false;
    if (error.code === "conflict") return true;
    return error.code === "stale_epoch" && (await store.readManifest(signal))?.etag !== etag;
  }

  /** One after the other; one that fails does not stop the next. */
  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  }

  const cached = (): Cached => (held?.isCacheHeeded === true ? { cache_seconds: cacheSecondsMax } : {});

  return {
    cached,
    get publishedAtMs() {
      return publishedAtMs;
    },
    read: (signal) =>
      exclusive(() => {
        isKnown = false;
        return load(signal);
      }),
    current: (signal) => exclusive(() => load(signal)),
    publish: (edit, signal) => exclusive(() => attempt(edit, signal)),
    async reserve(key, signal, options = {}) {
      await exclusive(() =>
        attempt((base) => withReservation(base, key, now(), { cached: cached(), ...options }), signal),
      );
    },
  };
}

/** Vectors of two models never meet in one ranking: a copy of another one is rebuilt, not added to. */
function assertModel(
  { model, dimensions }: ColdManifest,
  wanted: { readonly store: ColdStore; readonly model: string; readonly dimensions: number },
): void {
  if (model === wanted.model && dimensions === wanted.dimensions) return;
  const expected = `${wanted.model} with ${wanted.dimensions} dimensions`;
  const detail = `Expected an index of ${expected} at ${wanted.store.site}; it is of ${model} with ${dimensions}.`;
  throw new KattegatError("divergence", detail);
}
