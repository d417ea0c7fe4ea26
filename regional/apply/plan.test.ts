import { describe, expect, it } from "vitest";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import type { Change } from "@kattegat/protocol/changes.ts";
import { put, skip, withdraw } from "../site.fixture.ts";
import type { Holding } from "./holding.ts";
import { planOf } from "./plan.ts";
import type { PlanOptions } from "./plan.ts";

const held = (overrides: Partial<Holding> = {}): Holding => ({
  epoch: 1,
  sequence: "10",
  digest: "digest-x-10",
  passages: 3,
  ordinal_max: 3,
  late: false,
  ...overrides,
});

function plan(
  changes: readonly Change[],
  overrides: Partial<PlanOptions> & { readonly holding?: Holding } = {},
): ReturnType<typeof planOf> {
  const { holding, ...options } = overrides;
  return planOf(changes, {
    holdings: holding === undefined ? new Map() : new Map([["x", holding]]),
    watermark: FENCE_ZERO,
    horizonSequence: "0",
    refusal: () => null,
    ...options,
  });
}

const AT_10 = { epoch: 1, sequence: "10" };

describe("planOf", () => {
  it("lets a later epoch win over any sequence (I2)", () => {
    const { outcomes } = plan([put({ id: "x", sequence: 2, epoch: 2 })], {
      holding: held({ sequence: "900" }),
      watermark: { epoch: 1, sequence: "900" },
    });
    expect(outcomes).toMatchObject([{ holding: { epoch: 2, sequence: "2" } }]);
  });

  it("ignores an earlier epoch whatever its sequence (I2)", () => {
    expect(
      plan([put({ id: "x", sequence: 900, epoch: 1 })], { holding: held({ epoch: 2, sequence: "2" }) })
        .outcomes,
    ).toEqual([]);
  });

  it("compares sequences as numbers, not as text", () => {
    expect(plan([put({ id: "x", sequence: 9 })], { holding: held() }).outcomes).toEqual([]);
    expect(plan([put({ id: "x", sequence: 11 })], { holding: held() }).outcomes).toHaveLength(1);
  });

  it("writes nothing for a change that was applied completely (I3)", () => {
    expect(plan([put({ id: "x", sequence: 10 })], { holding: held(), watermark: AT_10 }).outcomes).toEqual(
      [],
    );
  });

  it("writes an equal change again when its batch was not completed", () => {
    expect(
      plan([put({ id: "x", sequence: 10 })], { holding: held(), watermark: { epoch: 1, sequence: "9" } })
        .outcomes,
    ).toHaveLength(1);
    expect(
      plan([put({ id: "x", sequence: 10 })], { holding: held({ late: true }), watermark: AT_10 }).outcomes,
    ).toHaveLength(1);
  });

  it("is a divergence when an equal fence has another document (I2)", () => {
    expect(() => plan([put({ id: "x", sequence: 10, digest: "other" })], { holding: held() })).toThrow(
      /two primaries/,
    );
    expect(() =>
      plan([put({ id: "x", sequence: 5 }), put({ id: "x", sequence: 5, digest: "other" })]),
    ).toThrow(/two primaries/);
  });

  it("lets a withdrawal win over a document of the same fence, in either order (I2)", () => {
    const [after] = plan([withdraw("x", 10)], { holding: held() }).outcomes;
    expect(after?.document).toBeNull();
    const [both] = plan([put({ id: "x", sequence: 5 }), withdraw("x", 5)]).outcomes;
    expect(both?.document).toBeNull();
    const [reversed, ...others] = plan([withdraw("x", 5), put({ id: "x", sequence: 5 })]).outcomes;
    expect(reversed?.document).toBeNull();
    expect(others).toEqual([]);
  });

  it("remembers how many passages a broken-off write may have left", () => {
    const broken = held({ ordinal_max: 7 });
    const [outcome] = plan([put({ id: "x", sequence: 11 })], {
      holding: broken,
      watermark: { epoch: 1, sequence: "9" },
    }).outcomes;
    expect(outcome?.holding).toMatchObject({ passages: 1, ordinal_max: 7 });
  });

  it("removes what a broken-off write left, although its change came again as superseded, so that nothing outlives its erasure (I3)", () => {
    const broken = held({ ordinal_max: 7 });
    const [erased] = plan([withdraw("x", 11)], { holding: broken, watermark: AT_10 }).outcomes;
    expect(erased?.holding).toMatchObject({ passages: 0, ordinal_max: 7 });
  });

  it("removes what a later write that was broken off has left, before the watermark passes a change between them (I9)", () => {
    const watermark = { epoch: 1, sequence: "5" };
    const tombstone = held({ digest: "withdrawn", passages: 0 });
    for (const change of [withdraw("x", 7), put({ id: "x", sequence: 7 })]) {
      const [outcome] = plan([change], { holding: tombstone, watermark }).outcomes;
      expect(outcome).toMatchObject({ document: null, isDoubted: true, holding: tombstone });
    }
    const [withdrawn] = plan([withdraw("x", 7)], { holding: held(), watermark }).outcomes;
    expect(withdrawn).toMatchObject({
      document: null,
      holding: { sequence: "7", digest: "withdrawn", passages: 0, ordinal_max: 3 },
    });
    const both = plan([withdraw("x", 7), put({ id: "x", sequence: 10, digest: "digest-x-10" })], {
      holding: held(),
      watermark,
    });
    expect(both.outcomes).toMatchObject([{ holding: { sequence: "10", passages: 1, ordinal_max: 3 } }]);
  });

  it("leaves a later copy alone when an older put, or a change that the watermark has passed, comes again (I3)", () => {
    const before = { epoch: 1, sequence: "5" };
    expect(plan([put({ id: "x", sequence: 7 })], { holding: held(), watermark: before }).outcomes).toEqual(
      [],
    );
    expect(plan([withdraw("x", 7)], { holding: held(), watermark: AT_10 }).outcomes).toEqual([]);
    expect(plan([withdraw("x", 4)], { holding: held(), watermark: before }).outcomes).toEqual([]);
  });

  it("marks what is written behind the watermark, since that does not say whether it was completed", () => {
    expect(plan([put({ id: "x", sequence: 5 })], { watermark: AT_10 }).outcomes).toMatchObject([
      { holding: { late: true } },
    ]);
    expect(plan([put({ id: "x", sequence: 11 })], { watermark: AT_10 }).outcomes).toMatchObject([
      { holding: { late: false } },
    ]);
  });

  it("takes a put from before the oldest tombstone for withdrawn", () => {
    expect(plan([put({ id: "x", sequence: 5 })], { horizonSequence: "6" }).outcomes).toEqual([]);
    expect(plan([put({ id: "x", sequence: 6 })], { horizonSequence: "6" }).outcomes).toHaveLength(1);
  });

  it("turns a refused put into the end of an older copy", () => {
    const refusal = () => ({ code: "residency_refused" as const, detail: "no" });
    const { outcomes, refused } = plan([put({ id: "x", sequence: 11 })], {
      holding: held(),
      watermark: AT_10,
      refusal,
    });
    expect(refused).toEqual([{ sequence: "11", code: "residency_refused", detail: "no" }]);
    expect(outcomes).toMatchObject([{ document: null, holding: { passages: 0, ordinal_max: 3 } }]);
  });

  it("refuses no withdrawal, however it refuses documents, so that none is left behind the watermark (I9)", () => {
    const refusal = () => ({ code: "residency_refused", detail: "not here" }) as const;
    const changes = [put({ id: "x", sequence: 11 }), withdraw("x", 12), withdraw("never-here", 13)];
    const { outcomes, refused } = plan(changes, { holding: held(), refusal });
    expect(refused.map(({ sequence }) => sequence)).toEqual(["11"]);
    expect(outcomes).toMatchObject([
      { documentId: "x", document: null, holding: { sequence: "12", passages: 0 } },
      { documentId: "never-here", document: null },
    ]);
    expect(plan([withdraw("x", 12)], { holding: held(), refusal })).toMatchObject({
      outcomes: [{ documentId: "x", document: null }],
      refused: [],
    });
  });

  it("says nothing of a skip", () => {
    expect(plan([skip(1)])).toEqual({ outcomes: [], refused: [] });
  });

  it("ends in the same state for every order of the same changes (I3)", () => {
    const changes = [
      put({ id: "x", sequence: 1, texts: ["a", "b"] }),
      withdraw("x", 2),
      put({ id: "x", sequence: 3 }),
      put({ id: "x", sequence: 1, epoch: 2 }),
    ];
    const permutations = (items: readonly Change[]): readonly (readonly Change[])[] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
    const states = permutations(changes).map((order) =>
      plan(order).outcomes.map(({ holding: { epoch, sequence, digest } }) => ({ epoch, sequence, digest })),
    );
    expect(states).toHaveLength(24);
    for (const state of states) expect(state).toEqual([{ epoch: 2, sequence: "1", digest: "digest-x-1" }]);
  });
});
