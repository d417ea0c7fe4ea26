/** An archive as a target. */
import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { randomUUID } from "node:crypto";
import { assertReached } from "@kattegat/protocol/batch-place.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { ApplyResponse, FeedChange } from "@kattegat/protocol/changes.ts";
import { RecentMap } from "@kattegat/protocol/recent-map.ts";
import { compareFences, type Fence } from "@kattegat/protocol/sequence.ts";
import type { Target } from "../target.ts";
import type { Bucket } from "./bucket.ts";
import { inParallel } from "./in-parallel.ts";
import type { Listed as Held, WriteWatch, Written } from "./listed-digests.ts";
import { keyOf, parseKey, prefixOf } from "./object-name.ts";
import type { Pace } from "./pace.ts";
import { encodeObject } from "./stored-object.ts";
import { readWatermark, removeFormerWatermarks, storeWatermark } from "./watermark-object.ts";

/** Documents on their way at once: with thirty milliseconds a request, some five hundred documents a second. */
const CONCURRENT_MAX = 32;

/** Former watermarks that a bucket with versions has at most: each list of them is one request. */
const WATERMARKS_KEPT_MAX = 64;

/** Documents whose objects are known by name, some 250 bytes each. */
const KNOWN_DOCUMENTS_MAX = 32_768;

/** Each batch rewrites the watermark's object; nobody reads what rests here before it is needed. */
const REST_MS = 1_000;

export interface ArchiveOptions {
  readonly site: string;
  /** Of the feed; no vector of it rests here. */
  readonly model: string;
  readonly bucket: Bucket;
  readonly pace: Pace;
  readonly watch: WriteWatch;
  /** By this process's own network file (I5). */
  readonly mayHold: (className: string) => boolean;
}

/** Document → key of the object that this process has put. */
type KnownKeys = RecentMap<string, string>;
type Refusal = ApplyResponse["refused"][number];
type Told = Exclude<FeedChange, { kind: "skip" }>;

/**
 * Stores each document as one object whose name tells its version, then deletes whatever else the bucket has of it, former versions
 * of a bucket that keeps them included. The watermark follows when all that it promises is there (I8): a crash before that leaves
 * objects that the same changes write again.
 *
 * What it has put it knows without a list, as long as nobody else writes: each writer notes itself in the watermark before its first object.
 */
export function createArchiveTarget({ site, model, bucket, pace, watch, mayHold }: ArchiveOptions): Target {
  const writer = randomUUID();
  const known: KnownKeys = new RecentMap(KNOWN_DOCUMENTS_MAX);
  // Of a process, or an attempt, that ended in the middle, nobody knows what it has put already.
  let isFresh = true;
  let keepsVersions = true;
  let stores = 0;
  return {
    site,
    model,
    isNext: false,
    restMs: REST_MS,
    watermark: async (signal) => (await readWatermark(bucket, signal)).watermark,
    // A withdrawal is deleted with all versions before the watermark passes it.
    removed: async (signal) => (await readWatermark(bucket, signal)).watermark,
    async apply(batch, signal) {
      const stored = await readWatermark(bucket, signal);
      const { watermark } = stored;
      assertReached(watermark, {
        after: batch.after,
        to: batch.position,
        place: `the bucket ${bucket.name}`,
      });
      if (compareFences(batch.position, watermark) <= 0) return { watermark, refused: [] };
      const isOthers = stored.writer !== writer;
      const mayRepeat = isFresh || isOthers;
      isFresh = true;
      if (stores % WATERMARKS_KEPT_MAX === 0) {
        keepsVersions = await mayKeepVersions(bucket, signal);
        await removeFormerWatermarks(bucket, signal);
      }
      stores += 1;
      // Where versions are listed each time, nothing is remembered: it would be old when that ends.
      if (mayRepeat || keepsVersions) known.clear();
      const at = batch.positionAt;
      const etag = isOthers
        ? await storeWatermark(bucket, { watermark, at, writer, etag: stored.etag }, signal)
        : stored.etag;
      const work = { bucket, known: keepsVersions ? null : known, mayRepeat, signal };
      const refused: Refusal[] = [];
      const words = [...lastWords(batch.changes, watermark).values()];
      await watched(watch, words, async (written) => {
        const doomed: Held[] = [];
        await inParallel(words, CONCURRENT_MAX, async (change) => {
          if (change.kind !== "withdraw") await pace.turn(signal);
          const refusal = refusalOf(change, mayHold);
          if (refusal !== null) refused.push({ sequence: change.sequence, ...refusal });
          const done = await applied(change, { ...work, isRefused: refusal !== null });
          doomed.push(...done.doomed);
          written.push({ ...done, removed: keepsVersions ? null : done.doomed });
        });
        await bucket.remove(doomed, signal);
      });
      await storeWatermark(bucket, { watermark: batch.position, at, writer, etag }, signal);
      isFresh = false;
      return { watermark: batch.position, refused };
    },
  };
}

/** Tells what `write` has done of these changes, or that it failed somewhere. */
async function watched(
  watch: WriteWatch,
  changes: readonly Told[],
  write: (written: Written[]) => Promise<void>,
): Promise<void> {
  const ended = watch.begin(changes.map(({ document_id: id }) => hashedId(id)));
  const written: Written[] = [];
  let isDone = false;
  try {
    await write(written);
    isDone = true;
  } finally {
    ended(isDone ? written : null);
  }
}

/** A key that may not ask is taken for one of a bucket that does: its versions are listed each time. */
async function mayKeepVersions(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  try {
    return (await bucket.versioning(signal)) !== null;
  } catch (error) {
    if (error instanceof KattegatError && error.code === "forbidden") return true;
    throw error;
  }
}

/** Of each document the last change that the archive does not have yet; what went before it in the batch left something to replace. */
function lastWords(changes: readonly FeedChange[], watermark: Fence): ReadonlyMap<string, Told> {
  const words = new Map<string, Told>();
  for (const change of changes) {
    if (change.kind === "skip" || compareFences(change, watermark) <= 0) continue;
    const isFirst = change.kind !== "put-sealed" || !words.has(change.document_id);
    words.set(change.document_id, isFirst ? change : { ...change, replaces: true });
  }
  return words;
}

/** What the archive itself checks of a put, whoever sends it. */
function refusalOf(change: Told, mayHold: ArchiveOptions["mayHold"]): Omit<Refusal, "sequence"> | null {
  if (change.kind === "withdraw") return null;
  if (change.kind === "put")
    return { code: "residency_refused", detail: "Expected a sealed document; it came in clear." };
  const { residency, document } = change.sealed;
  if (!mayHold(residency))
    return { code: "residency_refused", detail: `The archive may not hold the class ${residency}.` };
  return document === hashedId(change.document_id)
    ? null
    : { code: "bad_request", detail: "Expected the sealed document to have the name of the change's." };
}

interface Work {
  readonly bucket: Bucket;
  /** Null where an object may have former versions, which only a list tells. */
  readonly known: KnownKeys | null;
  readonly isRefused: boolean;
  readonly mayRepeat: boolean;
  readonly signal: AbortSignal;
}

interface Applied {
  readonly document: string;
  /** The new object; null where it was there before, or there is none. */
  readonly added: Held | null;
  /** What is to be deleted once the new object is there. */
  readonly doomed: readonly Held[];
}

/**
 * Puts the change's object, if it has one.
 *
 * @throws {KattegatError} `divergence` when the write of this change is there with another content.
 */
async function applied(
  change: Told,
  { bucket, known, isRefused, mayRepeat, signal }: Work,
): Promise<Applied> {
  const fence: Fence = { epoch: change.epoch, sequence: change.sequence };
  const document = hashedId(change.document_id);
  const sealed = change.kind === "put-sealed" && !isRefused ? change.sealed : null;
  const key = sealed === null ? null : keyOf(sealed);
  const listed = (): Promise<readonly Held[]> => Array.fromAsync(bucket.versions(prefixOf(document), signal));
  const remembered = known?.get(document);
  // Most documents are new, and a list costs as much as an object.
  const isNew = change.kind === "put-sealed" && !change.replaces && !mayRepeat;
  // A withdrawal leaves nothing, whoever put it there; the same object once more is a move, or heals what was found wrong.
  const mustList = key === null || key === remembered || (remembered === undefined && !isNew);
  const held = mustList ? await listed() : heldAs(remembered);
  // A change that comes late may not end what a later one has written (I3).
  const isLater = (version: Held): boolean => {
    const name = parseKey(version.key);
    return name !== null && compareFences(name.fence, fence) > 0;
  };
  if (sealed === null || key === null || held.some(isLater)) {
    known?.delete(document);
    const doomed = key === null ? held.filter((version) => !isLater(version)) : [];
    return { document, added: null, doomed };
  }
  assertSame(key, held, fence);
  await bucket.put(key, encodeObject(sealed), { signal });
  known?.set(document, key);
  const isOther = (version: Held): boolean => version.key !== key || !version.isLatest;
  const others = held.filter(isOther);
  const isNewObject = others.length === held.length;
  const added = isNewObject ? objectOf(key) : null;
  // Where the bucket keeps versions, an object that was just replaced is one more.
  if (known !== null || isNewObject) return { document, added, doomed: others };
  return { document, added, doomed: (await listed()).filter(isOther) };
}

function heldAs(key: string | undefined): readonly Held[] {
  return key === undefined ? [] : [objectOf(key)];
}

function objectOf(key: string): Held {
  return { key, version: null, isLatest: true };
}

/** A later change that carries the same content writes it again, whatever stands there: so an object that was altered is healed. */
function assertSame(key: string, held: readonly Held[], fence: Fence): void {
  const other = held.find((version) => {
    const name = parseKey(version.key);
    return name !== null && version.isLatest && version.key !== key && compareFences(name.fence, fence) === 0;
  });
  if (other === undefined) return;
  throw new KattegatError(
    "divergence",
    `The fence (${fence.epoch}, ${fence.sequence}) came with another content than the archive has at it: two primaries have issued it.`,
  );
}
