/** When the bytes of hidden documents have left a zone's objects. */
import { CACHE_SECONDS_MAX } from "@kattegat/config/limits.ts";
import { compareFences, FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { GARBAGE_AGE_MS_MIN } from "./garbage.ts";
import type { Cached, ColdManifest, Fading, Garbage, Hidden, ManifestBase } from "./manifest-shape.ts";

/** Erasures of these minutes share one rewriting of their segment, which is 64 MiB at most. */
const DEAD_SEGMENT_MS = 3 * 60_000;
/** A small base is made again within seconds. */
const DEAD_BASE_MS_MIN = 5 * 60_000;
/** So that making bases takes the same small share of time at every size: an hour at 600,000 passages. */
const DEAD_BASE_MS_EACH = 6;

/** Searches' candidate lists; they are keyed by content, so this only bounds how long a dead one rests. */
export const RESULT_SECONDS_MAX = 300;

/** What an edge says with each manifest, whose caches keep nothing for longer than the manifest notes. */
export const HEEDS_CACHE_SECONDS = { header: "kattegat-cache-seconds", value: "as-noted" } as const;

/** Times at which something may end that a cache holds: more would make the manifest longer, fewer the wait. */
const FADING_STEPS = 16;

/** Of the network file: how long what is hidden may rest in a segment or base before that is made anew. */
export interface RemovalLimits {
  readonly dead_seconds_max: number;
}

/** How long a base of so many passages may hold dead documents before it is made anew. */
export function deadBaseMs(passages: number, { dead_seconds_max: max }: RemovalLimits): number {
  return Math.min(max * 1_000, Math.max(DEAD_BASE_MS_MIN, passages * DEAD_BASE_MS_EACH));
}

/** Returns the segments that have had dead documents for so long that they are rewritten. */
export function staleSegments(
  { segments }: Pick<ColdManifest, "segments">,
  { nowMs, limits }: { readonly nowMs: number; readonly limits: RemovalLimits },
): ColdManifest["segments"] {
  const ageMs = Math.min(DEAD_SEGMENT_MS, limits.dead_seconds_max * 1_000);
  return segments.filter(
    ({ tombstones, hidden }) => tombstones.length > 0 && nowMs - sinceMs(hidden) >= ageMs,
  );
}

/** Whether a base has had dead documents for so long that it is made anew. */
export function isBaseStale(
  base: ManifestBase | null,
  { nowMs, limits }: { readonly nowMs: number; readonly limits: RemovalLimits },
): boolean {
  return base !== null && base.dead > 0 && nowMs - sinceMs(base.hidden) >= deadBaseMs(base.passages, limits);
}

/** What an object that gets its first dead document notes: everything up to the watermark had left it, or was never in it. */
export function hiddenFrom({ watermark }: Pick<ColdManifest, "watermark">, nowMs: number): Hidden {
  return { after: watermark, since: new Date(nowMs).toISOString() };
}

/**
 * Returns the place in the log up to which every withdrawn document has left the zone's disks: no object that held it is left,
 * and what a location may have kept of such an object is too old.
 *
 * Low rather than wrong: each object answers for everything that was hidden since its first dead document, whichever it was.
 */
export function removedUpTo(manifest: ColdManifest, { nowMs }: { readonly nowMs: number }): Fence {
  const { base, segments, garbage, fading = [] } = manifest;
  const dead = [
    ...segments.filter(({ tombstones }) => tombstones.length > 0),
    ...(base !== null && base.dead > 0 ? [base] : []),
  ];
  const bounds = [
    ...dead.map(({ hidden }) => hidden?.after),
    ...garbage.map(({ after }) => after),
    ...fading.filter(({ until }) => Date.parse(until) > nowMs).map(({ after }) => after),
  ];
  return bounds.reduce<Fence>((low, bound = FENCE_ZERO) => earlier(low, bound), manifest.watermark);
}

/** What the garbage list keeps of an object of the generation that is dropped from it. */
export function remainsOf(
  manifest: Pick<ColdManifest, "watermark" | "base" | "segments">,
): (key: string) => Omit<Garbage, "key" | "since"> {
  const { base, watermark } = manifest;
  const remains = (
    object: Cached & { readonly hidden?: Hidden },
    dead: number,
  ): Omit<Garbage, "key" | "since"> => ({
    after: dead === 0 ? watermark : (object.hidden?.after ?? FENCE_ZERO),
    ...(object.cache_seconds === undefined ? {} : { cache_seconds: object.cache_seconds }),
  });
  const segments = new Map(
    manifest.segments.map((segment) => [segment.key, remains(segment, segment.tombstones.length)]),
  );
  return (key) =>
    segments.get(key) ??
    (base !== null && key.startsWith(`${base.key}.`) ? remains(base, base.dead) : { after: watermark });
}

/** For how long a location may keep what an edge, whose own limit is given, makes of the objects. */
export function cacheSeconds(objects: readonly Cached[], ownSecondsMax: number): number {
  return Math.min(ownSecondsMax, ...objects.map(({ cache_seconds: noted = ownSecondsMax }) => noted));
}

/**
 * Returns what locations may still have of objects that are being deleted, beside what is known to.
 *
 * A reader of an earlier generation may have filled its location's cache until the objects were old enough to be deleted.
 * Times are rounded up, so that the list stays short however many objects are deleted.
 */
export function withFading(
  manifest: ColdManifest,
  deleted: readonly string[],
  { nowMs }: { readonly nowMs: number },
): readonly Fading[] {
  const byTime = new Map<number, Fence>();
  const add = (untilMs: number, after: Fence): void => {
    if (untilMs > nowMs) byTime.set(untilMs, earlier(byTime.get(untilMs) ?? after, after));
  };
  for (const { after, until } of manifest.fading ?? []) add(Date.parse(until), after);
  for (const entry of manifest.garbage) {
    const seconds = deleted.includes(entry.key) ? servedSeconds(entry) : 0;
    if (seconds === 0) continue;
    const roundingMs = Math.ceil((seconds * 1_000) / FADING_STEPS);
    const untilMs = Date.parse(entry.since) + GARBAGE_AGE_MS_MIN + seconds * 1_000;
    add(Math.ceil(untilMs / roundingMs) * roundingMs, entry.after ?? FENCE_ZERO);
  }
  return [...byTime]
    .toSorted(([a], [b]) => a - b)
    .map(([untilMs, after]) => ({ after, until: new Date(untilMs).toISOString() }));
}

/**
 * The largest age with which anything of the object was ever put into a location's cache.
 *
 * Not today's limit: an operator may have shortened it since. Without a note, an edge may have kept pieces for as long as any release has.
 */
function servedSeconds({ key, cache_seconds: noted = CACHE_SECONDS_MAX }: Garbage): number {
  if (key.startsWith("bases/")) return noted;
  // Of a segment there are searches' candidates alone; of anything else, nothing of a document.
  return key.startsWith("segments/") ? Math.min(RESULT_SECONDS_MAX, noted) : 0;
}

/** Without a time, hidden by a release that noted none: long ago. */
function sinceMs(hidden: Hidden | undefined): number {
  return hidden === undefined ? -Infinity : Date.parse(hidden.since);
}

function earlier(a: Fence, b: Fence): Fence {
  return compareFences(a, b) <= 0 ? a : b;
}
