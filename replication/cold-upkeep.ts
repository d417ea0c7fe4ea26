/** The work on a zone's cold tier that no change asks for. */
import { keysToDelete } from "@kattegat/engine/cold/garbage.ts";
import {
  planMerge,
  withMerge,
  withoutGarbage,
  type ColdManifest,
  type ManifestSegment,
} from "@kattegat/engine/cold/manifest.ts";
import { editionName } from "@kattegat/engine/embedding/edition.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { isRebaseDue } from "@kattegat/engine/cold/manifest-base.ts";
import { hiddenFrom, isBaseStale, type RemovalLimits } from "@kattegat/engine/cold/removal.ts";
import { rebase, type RebaseOptions } from "./cold-rebase.ts";
import type { EmbeddingCopy } from "./embedding-copy.ts";
import { assertReserved } from "./cold-reservation.ts";
import { checksumOf, uploadSegment } from "./edge-target.ts";
import type { MergedSegment, MergeInput, MergeSegments } from "./merge-segments.ts";
import type { Primary } from "./primary.ts";

/** Deletions in one round: bounded, so that a long list does not keep merging waiting. */
const DELETIONS_MAX = 64;

/** A table is megabytes that every edge reads anew; weights that are seconds old rank the same. */
const STATISTICS_EVERY_MS = 5_000;

export interface ColdUpkeep {
  /** Hears which version of the term statistics the log's head names. */
  heard(statisticsVersion: string | null): void;
  /** One round: statistics, the start or end of a rebase, at most one merge, deletions. Resolves with what was done. */
  round(signal: AbortSignal): Promise<readonly UpkeepDone[]>;
}

export type UpkeepDone = "statistics" | "rebase begun" | "rebased" | "merged" | "deleted";

export interface UpkeepOptions extends RebaseOptions {
  readonly primary: Pick<Primary, "statistics">;
  readonly embedding: EmbeddingCopy;
  readonly mergeSegments: MergeSegments;
  readonly limits: RemovalLimits;
  /** Objects of models that the network file names: what was garbage before may be needed again. */
  readonly needed: ReadonlySet<string>;
}

/** A base that could not be made is not tried again before; a full disk does not go away in a second. */
const REBASE_RETRY_MS = 60_000;

/** A base in the making, which takes minutes in which batches come and are merged among themselves. */
interface Rebasing {
  readonly segments: ReadonlySet<string>;
  readonly outcome: Promise<boolean>;
  hasEnded: boolean;
}

export function createColdUpkeep(options: UpkeepOptions): ColdUpkeep {
  const { publisher, now } = options;
  let wanted: string | null = null;
  let statisticsAtMs = -Infinity;
  let rebasing: Rebasing | null = null;
  let rebaseFailedAtMs = -Infinity;

  /** Resolves with what happened to a base in the making, or to one that is due. */
  async function tendBase(manifest: ColdManifest, signal: AbortSignal): Promise<UpkeepDone | null> {
    if (rebasing !== null) {
      if (!rebasing.hasEnded) return null;
      const { outcome } = rebasing;
      rebasing = null;
      rebaseFailedAtMs = now();
      const isPublished = await outcome;
      if (isPublished) rebaseFailedAtMs = -Infinity;
      return isPublished ? "rebased" : null;
    }
    const isDue = isRebaseDue(manifest, { passagesMin: options.basePassagesMin });
    const isStale = isBaseStale(manifest.base, { nowMs: now(), limits: options.limits });
    if (!(isDue || isStale) || now() - rebaseFailedAtMs < REBASE_RETRY_MS) return null;
    const segments = new Set(manifest.segments.map(({ key }) => key));
    const begun: Rebasing = { segments, outcome: rebase(options, manifest, signal), hasEnded: false };
    const end = (): void => {
      begun.hasEnded = true;
    };
    begun.outcome.then(end, end);
    rebasing = begun;
    return "rebase begun";
  }

  return {
    heard(version) {
      wanted = version;
    },
    async round(signal) {
      const done: UpkeepDone[] = [];
      // Before the first change too: queries are embedded in an empty network as well.
      await options.embedding.ensure(signal);
      const manifest = await publisher.current(signal);
      // Before the first generation there is nothing to search, so nothing to weigh.
      if (manifest.generation === 0) return done;
      const isOld = wanted !== null && wanted !== manifest.statistics?.version;
      if (isOld && now() - statisticsAtMs >= STATISTICS_EVERY_MS) {
        statisticsAtMs = now();
        await publishStatistics(options, signal);
        done.push("statistics");
      }
      const tended = await tendBase(await publisher.current(signal), signal);
      if (tended !== null) done.push(tended);
      const current = await publisher.current(signal);
      const segments = current.segments.filter(({ key }) => rebasing?.segments.has(key) !== true);
      const keys = planMerge({ ...current, segments }, { nowMs: now(), limits: options.limits });
      if (keys !== null && (await merge(options, keys, signal))) done.push("merged");
      if (await deleteGarbage(options, signal)) done.push("deleted");
      return done;
    },
  };
}

async function publishStatistics(options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { primary, publisher, store, now } = options;
  const { version, bytes } = await primary.statistics(signal);
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(version)) {
    throw new KattegatError(
      "internal",
      `Expected a version of the statistics that can be a key; got ${JSON.stringify(version)}.`,
    );
  }
  // A manifest of another model may name the same table, and would find it gone.
  const key = `statistics/${version}.${editionName(options)}.bin`;
  await publisher.reserve(key, signal);
  await store.putObject(key, bytes, signal);
  await publisher.publish((base) => {
    if (base.statistics?.version === version) return null;
    assertReserved(base, key, now());
    return { ...base, statistics: { version, key, checksum: checksumOf(bytes) } };
  }, signal);
}

/** Rewrites the segments as one without their dead documents; what batches hide meanwhile passes to the new segment. */
async function merge(options: UpkeepOptions, keys: readonly string[], signal: AbortSignal): Promise<boolean> {
  const { publisher, newId, now } = options;
  const before = await publisher.current(signal);
  const begun = hiddenFrom(before, now());
  const inputs = before.segments.filter(({ key }) => keys.includes(key));
  const mergedTombstones = new Map(inputs.map(({ key, tombstones }) => [key, tombstones]));
  const { model, dimensions } = options;
  const bytes = inputs.reduce((sum, segment) => sum + segment.bytes, 0);
  const about = { model, dimensions, bytes };
  const result = await options.mergeSegments(inputsOf(options, inputs, signal), about, signal);
  const merged = await uploadMerged(
    options,
    { key: `segments/${newId()}.seg`, result, after: begun.after },
    signal,
  );
  let isPublished = false;
  await publisher.publish((base) => {
    isPublished = isWhole(base, keys);
    // Another replication has merged them: this one's object stays on the garbage list.
    if (!isPublished) return null;
    if (merged !== null) assertReserved(base, merged.key, now());
    return withMerge(base, { keys, merged, mergedTombstones, begun });
  }, signal);
  return isPublished;
}

/** Reads each object once, whole: thousands of small reads cost more than its bytes. */
async function* inputsOf(
  { store }: UpkeepOptions,
  segments: readonly ManifestSegment[],
  signal: AbortSignal,
): AsyncGenerator<MergeInput> {
  for (const { key, bytes: length, checksum, tombstones, documents } of segments) {
    // Nothing of it is shown: it may be damaged, and its copies were brought anew for that.
    if (tombstones.length >= documents) continue;
    const bytes = await store.readObject(key, { offset: 0, length }, signal);
    yield { bytes, checksum, tombstones };
  }
}

async function uploadMerged(
  options: UpkeepOptions,
  { key, result, after }: { readonly key: string; readonly result: MergedSegment; readonly after: Fence },
  signal: AbortSignal,
): Promise<ManifestSegment | null> {
  const { bytes, documents, passages } = result;
  if (bytes === null) return null;
  await options.publisher.reserve(key, signal, { after });
  return uploadSegment(options, { key, bytes, documents, passages }, signal);
}

function isWhole(manifest: ColdManifest, keys: readonly string[]): boolean {
  return keys.every((key) => manifest.segments.some((segment) => segment.key === key));
}

/** An object that another model's manifest names is that one's to delete. */
function unlessNamed(error: unknown): void {
  if (!(error instanceof KattegatError && error.code === "conflict")) throw error;
}

/** Deletes first, forgets then: a crash between the two deletes again, which does no harm. */
async function deleteGarbage(
  { publisher, store, needed, now }: UpkeepOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const keys = keysToDelete(await publisher.current(signal), { nowMs: now() }).slice(0, DELETIONS_MAX);
  if (keys.length === 0) return false;
  for (const key of keys) if (!needed.has(key)) await store.deleteObject(key, signal).catch(unlessNamed);
  await publisher.publish((base) => withoutGarbage(base, keys, { nowMs: now() }), signal);
  return true;
}
