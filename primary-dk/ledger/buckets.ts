/** The tree over which copies are recorded of which documents. */
import { inclusionPath, leafHash, rootOf, type Hash } from "./merkle.ts";

/** By the first two bytes of a document's hash: a million documents are fifteen in each. */
export const BUCKETS = 65_536;
const GROUP = 256;
const GROUPS = BUCKETS / GROUP;

export function bucketOf(document: Uint8Array): number {
  return ((document[0] ?? 0) << 8) | (document[1] ?? 0);
}

/** The hash of a bucket: of how many documents it has, with the root over their records in the order of their hashes. */
export function bucketHash(records: readonly string[]): Hash {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(records.length);
  return leafHash(Buffer.concat([count, rootOf(records.map((record) => leafHash(record)))]));
}

export const EMPTY_BUCKET = bucketHash([]);

/** All buckets in memory: two megabytes; a root after few changes hashes few of their groups again. */
export class BucketTree {
  readonly #hashes: Hash[] = new Array<Hash>(BUCKETS).fill(EMPTY_BUCKET);
  readonly #groups = new Array<Hash | null>(GROUPS).fill(null);

  set(bucket: number, hash: Hash): void {
    this.#hashes[bucket] = hash;
    this.#groups[Math.floor(bucket / GROUP)] = null;
  }

  root(): Hash {
    return rootOf(this.#allGroups());
  }

  /** The audit path of a bucket, from its sibling up: within its group, then of the group. */
  path(bucket: number): readonly Hash[] {
    const group = Math.floor(bucket / GROUP);
    const members = this.#hashes.slice(group * GROUP, (group + 1) * GROUP);
    return [...inclusionPath(members, bucket % GROUP), ...inclusionPath(this.#allGroups(), group)];
  }

  #allGroups(): readonly Hash[] {
    return this.#groups.map((known, group) => {
      if (known !== null) return known;
      const hash = rootOf(this.#hashes.slice(group * GROUP, (group + 1) * GROUP));
      this.#groups[group] = hash;
      return hash;
    });
  }
}
