import { embeddingKeys } from "../embedding/learned/artefact-names.ts";
import { parseManifestJson } from "./parse-manifest.ts";
export { encodeManifest } from "./parse-manifest.ts";
import { keysOfBase, withDeadNumbers } from "./manifest-base.ts";
import type { ColdManifest, Hidden, ManifestSegment } from "./manifest-shape.ts";
import { remainsOf, hiddenFrom, staleSegments, withFading, type RemovalLimits } from "./removal.ts";

export type { ColdManifest, Hidden, ManifestBase, ManifestSegment } from "./manifest-shape.ts";

/** A reader opens each segment with two reads and searches each: this many still fit one round of parallel reads. */
export const SEGMENTS_MAX = 12;
/** A Worker has 128 MB; the resident part is about half of a segment's bytes, and merging holds one whole. */
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** A segment is rewritten alone when this share of its documents is dead. */
const DEAD_SHARE_MAX = 0.5;
/** Segments are of one size when the larger is at most this many times the smaller. */
const TIER_RATIO = 4;
/** Merging fewer would write the same bytes again too often. */
const MERGE_SEGMENTS_MIN = 4;

/** Parses a manifest; throws a ColdFormatError that names the field. */
export function parseManifest(text: string): ColdManifest {
  return parseManifestJson(text);
}

/** Returns the manifest before the first change. */
export function emptyManifest({
  model,
  dimensions,
}: {
  readonly model: string;
  readonly dimensions: number;
}): ColdManifest {
  return {
    format: 2,
    generation: 0,
    model,
    dimensions,
    watermark: { epoch: 0, sequence: "0" },
    watermark_at: "1970-01-01T00:00:00.000Z",
    statistics: null,
    base: null,
    segments: [],
    garbage: [],
  };
}

/**
 * Returns the manifest with a newer segment, whose documents replace their older selves.
 *
 * `segmentDocuments` gives the ids in each older segment, by key; only what is there is entombed, so that tombstones
 * stay as short as the changes were.
 */
export function withSegment(
  manifest: ColdManifest,
  segment: ManifestSegment,
  options: HidingOptions,
): ColdManifest {
  const hidden = withTombstones(manifest, options);
  return { ...hidden, segments: [...hidden.segments, segment] };
}

/** Where the documents of a manifest are. */
export interface Holders {
  /** Whether a segment holds the document. */
  holds(segmentKey: string, documentId: string): boolean;
  /** The document's number in the base; null where the base does not hold it. */
  numberOf(documentId: string): number | null;
}

export interface HidingOptions {
  readonly documentIds: readonly string[];
  readonly holders: Holders;
  readonly nowMs: number;
}

/** Returns the manifest without the documents: each is hidden in the base, in every segment that holds it. */
export function withTombstones(
  manifest: ColdManifest,
  { documentIds, holders, nowMs }: HidingOptions,
): ColdManifest {
  const from = hiddenFrom(manifest, nowMs);
  const segments = manifest.segments.map((segment) => {
    const added = documentIds.filter((id) => holders.holds(segment.key, id));
    if (added.length === 0) return segment;
    const tombstones = [...new Set([...segment.tombstones, ...added])].toSorted();
    return segment.tombstones.length === 0
      ? { ...segment, tombstones, hidden: from }
      : { ...segment, tombstones };
  });
  const numbers = documentIds.map((id) => holders.numberOf(id)).filter((number) => number !== null);
  const base = manifest.base === null ? null : withDeadNumbers(manifest.base, numbers, from);
  return { ...manifest, base, segments };
}

/**
 * Returns the manifest with the merged segments replaced by their merge, or by nothing when all they held is dead.
 *
 * The merge left out `mergedTombstones`; tombstones that came since then pass to the new segment.
 */
export function withMerge(
  manifest: ColdManifest,
  merge: {
    readonly keys: readonly string[];
    readonly merged: ManifestSegment | null;
    readonly mergedTombstones: ReadonlyMap<string, readonly string[]>;
    /** What was hidden since the merge began is in the new segment. */
    readonly begun: Hidden;
  },
): ColdManifest {
  const { keys, merged, mergedTombstones, begun } = merge;
  const replaced = manifest.segments.filter(({ key }) => keys.includes(key));
  if (replaced.length !== keys.length)
    throw new RangeError(`expected segments ${keys.join(", ")} in the manifest`);
  const late = replaced.flatMap(({ key, tombstones }) => {
    const known = new Set(mergedTombstones.get(key) ?? []);
    return tombstones.filter((id) => !known.has(id));
  });
  const others = manifest.segments.filter(({ key }) => !keys.includes(key));
  if (merged === null) return { ...manifest, segments: others };
  const tombstones = [...new Set([...merged.tombstones, ...late])].toSorted();
  const noted = tombstones.length === 0 ? merged : { ...merged, tombstones, hidden: begun };
  return { ...manifest, segments: [...others, noted] };
}

/** Documents that can be found. */
export function liveDocuments(manifest: ColdManifest): number {
  const inBase = manifest.base === null ? 0 : manifest.base.documents - manifest.base.dead;
  return manifest.segments.reduce((sum, segment) => sum + liveIn(segment), inBase);
}

/**
 * Returns the keys of segments to merge into one, or null.
 *
 * What has been hidden for long leaves the disk first.
 *
 * Size-tiered: runs of segments of like size are merged, so that each byte is written once for each tier. Beyond
 * SEGMENTS_MAX the smallest that fit are merged whatever their sizes. When none fit into one segment, the count grows:
 * the index has outgrown the flat format.
 */
export function planMerge(
  manifest: ColdManifest,
  options: { readonly nowMs: number; readonly limits: RemovalLimits },
): readonly string[] | null {
  const stale = fitting(staleSegments(manifest, options).map(sizeOf).toSorted(bySize));
  if (stale.length > 0) return stale;
  const mostlyDead = manifest.segments.find(
    (segment) => segment.documents > 0 && 1 - liveIn(segment) / segment.documents >= DEAD_SHARE_MAX,
  );
  if (mostlyDead !== undefined) return [mostlyDead.key];
  const sizes = manifest.segments.map(sizeOf).toSorted(bySize);
  for (let start = 0; start < sizes.length; start += 1) {
    const run = fitting(
      sizes.slice(start).filter(({ bytes }) => bytes <= TIER_RATIO * (sizes[start]?.bytes ?? 0)),
    );
    if (run.length >= MERGE_SEGMENTS_MIN) return run;
  }
  if (sizes.length <= SEGMENTS_MAX) return null;
  const smallest = fitting(sizes);
  return smallest.length > 1 ? smallest : null;
}

/** Returns the manifest as the next generation, to be published, with what it no longer refers to on the garbage list. */
export function nextGeneration(
  previous: ColdManifest,
  next: Omit<ColdManifest, "format" | "generation" | "garbage">,
  { nowMs }: { readonly nowMs: number },
): ColdManifest {
  const referred = new Set(keysOf(next));
  const dropped = keysOf(previous).filter((key) => !referred.has(key));
  const since = new Date(nowMs).toISOString();
  const remains = remainsOf(previous);
  const garbage = [
    ...previous.garbage.filter(({ key }) => !referred.has(key)),
    ...dropped.map((key) => ({ key, since, ...remains(key) })),
  ];
  return { ...next, format: 2, generation: previous.generation + 1, garbage };
}

/** Returns the manifest without deleted keys, of which it notes what locations may still have. */
export function withoutGarbage(
  manifest: ColdManifest,
  deleted: readonly string[],
  options: { readonly nowMs: number },
): ColdManifest {
  const garbage = manifest.garbage.filter(({ key }) => !deleted.includes(key));
  return { ...manifest, garbage, fading: withFading(manifest, deleted, options) };
}

/** Returns the key of every object that the generation refers to; a trained embedding's by the model's name. */
export function keysOf({
  model,
  base,
  segments,
  statistics,
}: Pick<ColdManifest, "model" | "base" | "segments" | "statistics">): readonly string[] {
  return [
    ...Object.values(embeddingKeys(model) ?? {}),
    ...(base === null ? [] : keysOfBase(base)),
    ...segments.map(({ key }) => key),
    ...(statistics === null ? [] : [statistics.key]),
  ];
}

function liveIn({ documents, tombstones }: ManifestSegment): number {
  return Math.max(0, documents - tombstones.length);
}

function liveBytes(segment: ManifestSegment): number {
  return segment.documents === 0 ? 0 : (segment.bytes * liveIn(segment)) / segment.documents;
}

interface Size {
  readonly key: string;
  readonly bytes: number;
}

function sizeOf(segment: ManifestSegment): Size {
  return { key: segment.key, bytes: liveBytes(segment) };
}

function bySize(left: Size, right: Size): number {
  return left.bytes - right.bytes;
}

/** The longest beginning that makes a segment of allowed size. */
function fitting(sizes: readonly Size[]): readonly string[] {
  const keys: string[] = [];
  let total = 0;
  for (const { key, bytes } of sizes) {
    total += bytes;
    if (total > SEGMENT_BYTES_MAX) break;
    keys.push(key);
  }
  return keys;
}
