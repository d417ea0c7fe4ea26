import { describe, expect, it } from "vitest";
import { ObservedCopies } from "./observed-copies.ts";

const point = (key: bigint, digest: bigint, id = 1n << 100n) => ({ key, digest, point: id });
const rootOf = (copies: ObservedCopies): bigint => copies.tree.at(0, 0).sum;

describe("copies as a scrub sees them", () => {
  it("are the sums of their points at the end of a pass, in whatever order these come (I25)", () => {
    const copies = new ObservedCopies();
    for (const [key, digest] of [
      [1n, 5n],
      [2n, 7n],
      [1n, 6n],
    ] as const)
      copies.gather(point(key, digest));
    expect(rootOf(copies)).toBe(0n);
    copies.endPass();
    expect(rootOf(copies)).toBe(18n);
    expect(copies.linesIn(0, [0])).toEqual([
      { key: 1n, digest: 11n },
      { key: 2n, digest: 7n },
    ]);
  });

  it("change with what a later pass sees, and go when it sees nothing of them (I25)", () => {
    const copies = new ObservedCopies();
    copies.gather(point(1n, 5n));
    copies.gather(point(2n, 7n));
    copies.endPass();
    copies.gather(point(1n, 4n));
    copies.endPass();
    expect(rootOf(copies)).toBe(4n);
    expect(copies.documents).toBe(1);
  });

  it("are as the applier says when it stored one while a pass was reading (I25)", () => {
    const copies = new ObservedCopies();
    copies.gather(point(1n, 5n));
    copies.tell(1n, 50n, 9n);
    copies.gather(point(1n, 6n));
    copies.gather(point(2n, 7n));
    copies.tell(2n, null, 9n);
    // A page that was read before the withdrawal.
    copies.gather(point(2n, 7n));
    copies.endPass();
    expect(rootOf(copies)).toBe(50n);
    copies.gather(point(1n, 51n));
    copies.endPass();
    expect(rootOf(copies)).toBe(51n);
  });

  it("are what they were after a pass that failed half-way", () => {
    const copies = new ObservedCopies();
    copies.gather(point(1n, 5n));
    copies.endPass();
    copies.gather(point(1n, 5n));
    copies.restartPass();
    copies.gather(point(1n, 5n));
    copies.endPass();
    expect(rootOf(copies)).toBe(5n);
  });

  it("stay right as their table grows and its places are used again", () => {
    const copies = new ObservedCopies();
    for (let key = 0n; key < 3_000n; key += 1n) copies.tell(key << 48n, key + 1n, key);
    for (let key = 0n; key < 3_000n; key += 2n) copies.tell(key << 48n, null, key);
    for (let key = 5_000n; key < 6_000n; key += 1n) copies.tell(key << 48n, key + 1n, key);
    expect(copies.documents).toBe(2_500);
    expect(copies.tree.documents).toBe(2_500);
    expect(copies.pointOf(5_500n << 48n)).toBe(5_500n);
    expect(copies.pointOf(0n)).toBeNull();
  });
});
