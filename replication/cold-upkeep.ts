/** The work on a zone's cold tier that no change asks for. */
import {
  keysToDelete,
  planMerge,
  withMerge,
  withoutGarbage,
  type ColdManifest,
} from "@kattegat/engine/cold/manifest.ts";
import type { ColdPassage, ColdSegment } from "@kattegat/engine/cold/segment.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { assertReserved } from "./cold-reservation.ts";
import { checksumOf, upload, type ColdParts } from "./edge-target.ts";
import type { Primary } from "./primary.ts";

/** Deletions in one round: bounded, so that a long list does not keep merging waiting. */
const DELETIONS_MAX = 64;
/** Passages between two breaths of the event loop while a segment is read. */
const BREATH_PASSAGES = 500;

export interface ColdUpkeep {
  /** Hears which version of the term statistics the log's head names. */
  heard(statisticsVersion: string | null): void;
  /** One round: statistics, at most one merge, deletions. Resolves with what was done. */
  round(signal: AbortSignal): Promise<readonly ("statistics" | "merged" | "deleted")[]>;
}

export interface UpkeepOptions extends ColdParts {
  readonly primary: Pick<Primary, "statistics">;
  readonly open: (key: string, bytes: number, signal: AbortSignal) => Promise<ColdSegment>;
  /** Lets other work run. */
  readonly breathe: () => Promise<void>;
}

export function createColdUpkeep(options: UpkeepOptions): ColdUpkeep {
  let wanted: string | null = null;
  return {
    heard(version) {
      wanted = version;
    },
    async round(signal) {
      const done: ("statistics" | "merged" | "deleted")[] = [];
      const manifest = await options.publisher.current(signal);
      // Before the first generation there is nothing to search, so nothing to weigh.
      if (manifest.generation === 0) return done;
      if (wanted !== null && wanted !== manifest.statistics?.version) {
        await publishStatistics(options, signal);
        done.push("statistics");
      }
      const keys = planMerge(await options.publisher.current(signal));
      if (keys !== null && (await merge(options, keys, signal))) done.push("merged");
      if (await deleteGarbage(options, signal)) done.push("deleted");
      return done;
    },
  };
}

async function publishStatistics(
  { primary, publisher, store, now }: UpkeepOptions,
  signal: AbortSignal,
): Promise<void> {
  const { version, bytes } = await primary.statistics(signal);
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(version)) {
    throw new KattegatError(
      "internal",
      `Expected a version of the statistics that can be a key; got ${JSON.stringify(version)}.`,
    );
  }
  const key = `statistics/${version}.bin`;
  await publisher.reserve(key, signal);
  await store.putObject(key, bytes, signal);
  await publisher.publish((base) => {
    if (base.statistics?.version === version) return null;
    assertReserved(base, key, now());
    return { ...base, statistics: { version, key, checksum: checksumOf(bytes) } };
  }, signal);
}

/**
 * Rewrites the segments as one without their dead documents. One input is in memory at a time, beside the living
 * passages, which `planMerge` bounds; batches are applied meanwhile, and what they hide passes to the new segment.
 */
async function merge(options: UpkeepOptions, keys: readonly string[], signal: AbortSignal): Promise<boolean> {
  const { publisher, table, newId, breathe, now } = options;
  const before = await publisher.current(signal);
  const inputs = before.segments.filter(({ key }) => keys.includes(key));
  const mergedTombstones = new Map(inputs.map(({ key, tombstones }) => [key, tombstones]));
  const puts: { documentId: string; version: string; passages: ColdPassage[] }[] = [];
  for (const { key, bytes, tombstones } of inputs) {
    const dead = new Set(tombstones);
    const segment = await options.open(key, bytes, signal);
    let passages = 0;
    for await (const passage of segment.readAll()) {
      passages += 1;
      if (passages % BREATH_PASSAGES === 0) await breathe();
      if (dead.has(passage.documentId)) continue;
      const last = puts.at(-1);
      if (last?.documentId === passage.documentId) last.passages.push(passage);
      else puts.push({ documentId: passage.documentId, version: passage.version, passages: [passage] });
    }
  }
  const key = puts.length === 0 ? null : `segments/${newId()}.seg`;
  if (key !== null) await publisher.reserve(key, signal);
  const merged = key === null ? null : await upload({ ...options, table }, { key, puts }, signal);
  let isPublished = false;
  await publisher.publish((base) => {
    isPublished = isWhole(base, keys);
    // Another replication has merged them: this one's object stays on the garbage list.
    if (!isPublished) return null;
    if (merged !== null) assertReserved(base, merged.key, now());
    return withMerge(base, { keys, merged, mergedTombstones });
  }, signal);
  return isPublished;
}

function isWhole(manifest: ColdManifest, keys: readonly string[]): boolean {
  return keys.every((key) => manifest.segments.some((segment) => segment.key === key));
}

/** Deletes first, forgets then: a crash between the two deletes again, which does no harm. */
async function deleteGarbage(
  { publisher, store, now }: UpkeepOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const keys = keysToDelete(await publisher.current(signal), { nowMs: now() }).slice(0, DELETIONS_MAX);
  if (keys.length === 0) return false;
  for (const key of keys) await store.deleteObject(key, signal);
  await publisher.publish((base) => withoutGarbage(base, keys), signal);
  return true;
}
