import { BASE_FILES, type BaseFile } from "./base/piece.ts";
import type { ColdManifest, Hidden, ManifestBase, ManifestSegment } from "./manifest-shape.ts";
import { decodeNumbers, encodeNumbers } from "./numbers.ts";

/**
 * Below it the tail is scanned: 20,000 passages are 8 MB of int8 vectors, which an isolate holds, and lists would save
 * no read worth having.
 */
export const BASE_PASSAGES_MIN = 20_000;
/**
 * The tail grows to this share of the base before it is merged in: a base of 600,000 is made anew every 37,500 changes, and
 * the tail's resident part stays below the base's own.
 */
const TAIL_SHARE_MAX = 1 / 16;
/** So many dead documents cost every search candidates, and erased ones are to leave the disk. */
const DEAD_SHARE_MAX = 0.125;

/** Returns the key of the base's resident part. */
export function rootKey(base: Pick<ManifestBase, "key">): string {
  return `${base.key}.root`;
}

/** Returns the key of a volume of one of the base's files. */
export function volumeKey(base: Pick<ManifestBase, "key">, file: BaseFile, volume: number): string {
  return `${base.key}.${file}.${volume}`;
}

/** Returns the key of every object of the base. */
export function keysOfBase(base: ManifestBase): readonly string[] {
  const volumes = BASE_FILES.flatMap((file) =>
    Array.from({ length: base.volumes[file] }, (_, volume) => volumeKey(base, file, volume)),
  );
  return [rootKey(base), ...volumes];
}

/** Returns the base with these documents hidden too; `from` says since when it has some. */
export function withDeadNumbers(base: ManifestBase, numbers: readonly number[], from: Hidden): ManifestBase {
  if (numbers.length === 0) return base;
  const dead = [...new Set([...decodeNumbers(base.tombstones), ...numbers])].toSorted((a, b) => a - b);
  const hidden = base.dead === 0 ? { hidden: from } : {};
  return { ...base, tombstones: encodeNumbers(dead), dead: dead.length, ...hidden };
}

/** Whether base and tail are to be made into a new base. */
export function isRebaseDue(
  {
    base,
    segments,
  }: {
    readonly base: Pick<ManifestBase, "passages" | "documents" | "dead"> | null;
    readonly segments: readonly Pick<ManifestSegment, "passages">[];
  },
  { passagesMin = BASE_PASSAGES_MIN }: { readonly passagesMin?: number } = {},
): boolean {
  const tail = segments.reduce((sum, { passages }) => sum + passages, 0);
  if (base === null) return tail >= passagesMin;
  return (
    tail >= Math.max(passagesMin, base.passages * TAIL_SHARE_MAX) ||
    base.dead >= base.documents * DEAD_SHARE_MAX
  );
}

/**
 * Returns the manifest with the base, and those of the segments that are not in it.
 *
 * `late` are the numbers of documents in the new base that were hidden, or replaced, since it was begun.
 */
export function withBase(
  manifest: ColdManifest,
  made: {
    readonly base: ManifestBase;
    readonly merged: readonly string[];
    readonly late: readonly number[];
    readonly begun: Hidden;
  },
): ColdManifest {
  return {
    ...manifest,
    base: withDeadNumbers(made.base, made.late, made.begun),
    segments: manifest.segments.filter(({ key }) => !made.merged.includes(key)),
  };
}
