import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { hash } from "node:crypto";
import { DEPTHS } from "@kattegat/protocol/digests.ts";
import { leavesOf } from "@kattegat/engine/digests/digest-tree.ts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ListedDigests, type Listed, type Listing } from "./listed-digests.ts";
import { prefixOf } from "./object-name.ts";

const ALL = leavesOf(0, 0);

function objectOf(document: string, version: number): Listed {
  const digest = hash("sha256", `${document} ${version}`, "hex");
  return { key: `${prefixOf(document)}1.${version}.eu.${digest}`, version: null, isLatest: true };
}

/** A bucket of few documents, so that lists and writes meet. */
class World {
  readonly digests = new ListedDigests();
  readonly held = new Map<string, Listed>();
  readonly #listings: { readonly listing: Listing; names: readonly Listed[] | null }[] = [];
  readonly #ends: (() => void)[] = [];
  #version = 0;

  askForList(): void {
    this.#listings.push({ listing: this.digests.listing(ALL), names: null });
  }

  /** A server lists what is there at some moment between the question and the answer. */
  list(): void {
    const next = this.#listings.find(({ names }) => names === null);
    if (next !== undefined) next.names = [...this.held.values()];
  }

  answerList(): void {
    const next = this.#listings.shift();
    if (next !== undefined) this.digests.count(next.listing, next.names ?? [...this.held.values()]);
  }

  begin(number: number, fate: "put" | "withdraw" | "fail"): void {
    const document = hashedId(`d${number}`);
    const before = this.held.get(document) ?? null;
    const end = this.digests.begin([document]);
    const added = fate === "withdraw" ? null : objectOf(document, (this.#version += 1));
    if (added === null) this.held.delete(document);
    else this.held.set(document, added);
    const written = [{ document, added, removed: before === null ? [] : [before] }];
    this.#ends.push(() => end(fate === "fail" ? null : written));
  }

  end(): void {
    this.#ends.shift()?.();
  }

  settle(): void {
    while (this.#ends.length > 0) this.end();
    while (this.#listings.length > 0) this.answerList();
  }

  expected(): ListedDigests {
    const other = new ListedDigests();
    other.count(other.listing(ALL), [...this.held.values()]);
    return other;
  }
}

const steps = fc.array(
  fc.oneof(
    fc.constant({ kind: "ask" } as const),
    fc.constant({ kind: "list" } as const),
    fc.constant({ kind: "answer" } as const),
    fc.constant({ kind: "end" } as const),
    fc.record({
      kind: fc.constant("begin" as const),
      number: fc.integer({ min: 0, max: 5 }),
      fate: fc.constantFrom("put", "withdraw", "fail"),
    }),
  ),
  { maxLength: 40 },
);

it("has the sums of what the bucket holds, or names the ranges that it does not know, however lists and writes meet (I25)", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = new World();
      world.askForList();
      // One writer, which ends a batch before it begins the next about the same document.
      const open = new Set<number>();
      for (const step of all) {
        if (step.kind === "ask") world.askForList();
        if (step.kind === "list") world.list();
        if (step.kind === "answer") world.answerList();
        if (step.kind === "end") {
          world.end();
          open.clear();
        }
        if (step.kind === "begin" && open.size === 0) {
          open.add(step.number);
          world.begin(step.number, step.fate);
        }
      }
      world.settle();
      const { digests } = world;
      const listing = digests.listing(ALL);
      const wanted = world.expected();
      const doubted = new Set(digests.settledDoubts(ALL.to));
      for (let leaf = 0; leaf < ALL.to; leaf += 1) {
        if (doubted.has(leaf)) continue;
        const [is, should] = [digests.tree.at(16, leaf), wanted.tree.at(16, leaf)];
        if (is.sum !== should.sum) expect.fail(`leaf ${leaf} has another sum, and is not doubted`);
      }
      digests.count(listing, [...world.held.values()]);
      expect(digests.settledDoubts(1)).toEqual([]);
      expect(digests.isWhole).toBe(true);
      for (const depth of DEPTHS.slice(0, 2))
        expect(digests.tree.at(depth, 0)).toEqual(wanted.tree.at(depth, 0));
    }),
    { numRuns: 60 },
  );
});

it("does not list a range in which something is written, nor trust one whose former versions nobody counted (I25)", () => {
  const digests = new ListedDigests();
  digests.count(digests.listing(ALL), []);
  const document = hashedId("a");
  const added = objectOf(document, 1);
  const end = digests.begin([document]);
  digests.count(digests.listing(ALL), []);
  expect(digests.settledDoubts(9)).toEqual([]);
  end([{ document, added, removed: [] }]);
  expect(digests.settledDoubts(9)).toHaveLength(1);
  digests.count(digests.listing(ALL), [added]);
  expect(digests.settledDoubts(9)).toEqual([]);
  digests.begin([document])([{ document, added: objectOf(document, 2), removed: null }]);
  expect(digests.settledDoubts(9)).toHaveLength(1);
});

it("differs by a former version, a marker of a deletion, an object that is no document's (I25)", () => {
  const document = hashedId("a");
  const object = objectOf(document, 1);
  const rootOf = (listed: readonly Listed[]): bigint => {
    const digests = new ListedDigests();
    digests.count(digests.listing(ALL), listed);
    return digests.tree.at(0, 0).sum;
  };
  const alone = rootOf([object]);
  for (const beside of [
    { ...object, version: "v1", isLatest: false },
    { ...object, key: `${prefixOf(document)}else`, version: null },
    objectOf(document, 2),
  ])
    expect(rootOf([object, beside])).not.toBe(alone);
  expect(rootOf([object, { ...object, key: "elsewhere" }])).toBe(alone);
});
