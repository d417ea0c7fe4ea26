import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { expect, it } from "vitest";
import { ListedCopies } from "./listed-copies.ts";

it("tells nothing at the numbers of documents that were left out, whose key reads as 0 (I25)", () => {
  const listed = new ListedCopies();
  // 0 and 2 are hidden.
  for (const number of [1, 3]) listed.add({ number, documentId: `d${number}`, version: "7" });
  const keys = [1, 3].map((number) => keyOf(`d${number}`));
  const all = new Set([0n, ...keys]);
  expect(listed.among(all).map(({ number }) => number)).toEqual([1, 3]);
  const ranges = new Set([...all].map((key) => rangeOf(key, 8)));
  expect([...listed.linesIn(8, ranges)].map(({ number, key }) => [number, key])).toEqual([
    [1, keys[0]],
    [3, keys[1]],
  ]);
});
