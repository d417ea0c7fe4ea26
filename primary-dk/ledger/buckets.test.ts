import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { describe, expect, it } from "vitest";
import { BUCKETS, BucketTree, EMPTY_BUCKET, bucketHash } from "./buckets.ts";
import { inclusionPath, rootOf, type Hash } from "./merkle.ts";

describe("the tree over all buckets", () => {
  it("has the root and the paths of RFC 6962 over its buckets, empty, and after each round of changes", () => {
    const random = seededRandom(4);
    const leaves = new Array<Hash>(BUCKETS).fill(EMPTY_BUCKET);
    const tree = new BucketTree();
    for (let round = 0; round < 3; round += 1) {
      expect(tree.root()).toEqual(rootOf(leaves));
      for (const bucket of [0, BUCKETS - 1, Math.floor(random() * BUCKETS)])
        expect(tree.path(bucket)).toEqual(inclusionPath(leaves, bucket));
      for (let change = 0; change < 200; change += 1) {
        const bucket = Math.floor(random() * BUCKETS);
        const hash = bucketHash([`{"round":${round},"change":${change}}`]);
        leaves[bucket] = hash;
        tree.set(bucket, hash);
        // Between two roots, as within one round of the ledger.
        if (change === 100) tree.path(bucket);
      }
    }
  });
});
