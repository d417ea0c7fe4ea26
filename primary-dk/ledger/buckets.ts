/** The tree over which copies are recorded of which documents. */
import { leafHash, nodeHash, rootOf, type Hash } from "./merkle.ts";

/** By the first two bytes of a document's hash: a million documents are fifteen in each. */
export const BUCKETS = 65_536;

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

/** The whole tree in memory, some ten megabytes: a root after a change hashes what is above the buckets that it touched. */
export class BucketTree {
  /** Node 1 is the root, `2n` and `2n + 1` are below `n`, the buckets come last; null: to be hashed anew. */
  readonly #nodes: (Hash | null)[] = emptyNodes();

  set(bucket: number, hash: Hash): void {
    let node = BUCKETS + bucket;
    this.#nodes[node] = hash;
    // What is above a stale node is stale already.
    for (node >>= 1; node > 0 && this.#nodes[node] !== null; node >>= 1) this.#nodes[node] = null;
  }

  root(): Hash {
    return this.#hashOf(1);
  }

  /** The audit path of a bucket, from its sibling up. */
  path(bucket: number): readonly Hash[] {
    const path: Hash[] = [];
    for (let node = BUCKETS + bucket; node > 1; node >>= 1) path.push(this.#hashOf(node ^ 1));
    return path;
  }

  #hashOf(node: number): Hash {
    const known = this.#nodes[node];
    if (known !== null && known !== undefined) return known;
    const hash = nodeHash(this.#hashOf(2 * node), this.#hashOf(2 * node + 1));
    this.#nodes[node] = hash;
    return hash;
  }
}

/** Empty trees of a height are alike, so that one hash for each height makes all nodes. */
function emptyNodes(): Hash[] {
  const nodes = new Array<Hash>(2 * BUCKETS).fill(EMPTY_BUCKET);
  let hash = EMPTY_BUCKET;
  for (let first = BUCKETS / 2; first >= 1; first /= 2) {
    hash = nodeHash(hash, hash);
    nodes.fill(hash, first, 2 * first);
  }
  return nodes;
}
