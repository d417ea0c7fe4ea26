import { DEPTHS } from "@kattegat/protocol/digests.ts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { copyDigest, keyOf, sumOf, type CopyContent } from "./copy-digest.ts";
import { DigestTree, childrenOf, leafDepth, rangeOf } from "./digest-tree.ts";

const copies = fc.uniqueArray(
  fc.record({
    documentId: fc.string({ minLength: 1 }),
    version: fc.nat().map(String),
    residency: fc.constantFrom("eu", "dk-only"),
    digest: fc.string(),
    passages: fc.integer({ min: 1, max: 40 }),
  }),
  { selector: ({ documentId }) => documentId, minLength: 1, maxLength: 40 },
);

function treeOf(all: readonly CopyContent[]): DigestTree {
  const tree = new DigestTree();
  for (const copy of all) tree.add(keyOf(copy.documentId), copyDigest(copy));
  return tree;
}

const rootOf = (tree: DigestTree): bigint => tree.at(0, 0).sum;

it("does not depend on the order, and takes out what was added (I25)", () => {
  fc.assert(
    fc.property(copies, copies, (kept, others) => {
      const tree = treeOf(others.toReversed());
      for (const copy of kept) tree.add(keyOf(copy.documentId), copyDigest(copy));
      for (const copy of others) tree.remove(keyOf(copy.documentId), copyDigest(copy));
      const wanted = treeOf(kept);
      for (const depth of DEPTHS)
        for (const { documentId } of [...kept, ...others]) {
          const index = rangeOf(keyOf(documentId), depth);
          expect(tree.at(depth, index)).toEqual(wanted.at(depth, index));
        }
    }),
  );
});

it("differs at every level above a copy that differs in one respect, and nowhere else (I25)", () => {
  const changes = fc.constantFrom<(copy: CopyContent) => CopyContent>(
    (copy) => ({ ...copy, version: `${copy.version}1` }),
    (copy) => ({ ...copy, residency: "global" }),
    (copy) => ({ ...copy, digest: `${copy.digest}x` }),
    (copy) => ({ ...copy, passages: copy.passages + 1 }),
  );
  fc.assert(
    fc.property(copies, fc.nat(), changes, (all, place, change) => {
      const at = place % all.length;
      const before = treeOf(all);
      const after = treeOf(all.map((copy, index) => (index === at ? change(copy) : copy)));
      const key = keyOf(all[at]?.documentId ?? "");
      let differing: readonly number[] = [0];
      for (const depth of DEPTHS) {
        const differs = differing.filter(
          (index) => before.at(depth, index).sum !== after.at(depth, index).sum,
        );
        expect(differs).toEqual([rangeOf(key, depth)]);
        differing = childrenOf(differs);
      }
    }),
  );
});

it("sums every range from the ranges below it, and a leaf that was counted anew with them (I25)", () => {
  fc.assert(
    fc.property(copies, (all) => {
      const tree = treeOf(all);
      const [first] = all;
      const leaf = rangeOf(keyOf(first?.documentId ?? ""), 16);
      const before = tree.at(16, leaf);
      tree.setLeaf(leaf, { sum: 5n, documents: 7 });
      expect(tree.documents).toBe(all.length - before.documents + 7);
      for (const depth of DEPTHS.slice(0, 4)) {
        const index = leaf >> (16 - depth);
        const below = childrenOf([index]).map((child) => tree.at(nextOf(depth), child).sum);
        expect(below.reduce(sumOf, 0n)).toBe(tree.at(depth, index).sum);
      }
      tree.setLeaf(leaf, before);
      expect(rootOf(tree)).toBe(rootOf(treeOf(all)));
    }),
  );
});

function nextOf(depth: (typeof DEPTHS)[number]): (typeof DEPTHS)[number] {
  return DEPTHS[DEPTHS.indexOf(depth) + 1] ?? 16;
}

it("has ranges of some tens of documents on the lowest level that is exchanged", () => {
  expect([1, 64, 65, 1_000, 100_000, 300_000, 1_000_000].map(leafDepth)).toEqual([0, 0, 4, 4, 12, 16, 16]);
});
