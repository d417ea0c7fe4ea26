import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { expect, it } from "vitest";
import { never } from "../edge-target.fixture.ts";
import { compareSite } from "./compare.ts";
import { ReadWindow } from "./read-window.ts";
import { Side } from "./side.fixture.ts";
import type { HeldSource, PlannedSource } from "./source.ts";

/** A log that goes on between any two questions, and a site that follows it late. */
function running(seed: number) {
  const random = seededRandom(seed);
  const log = new Side();
  const site = new Side();
  const last = new Map<string, number>();
  const queue: { readonly id: string; readonly sequence: number; readonly isGone: boolean }[] = [];
  function write(): void {
    const sequence = (log.sequence += 1);
    const id = `d${Math.floor(random() * 150)}`;
    const isGone = random() < 0.2;
    if (isGone) log.copies.delete(id);
    else log.put(id, sequence);
    last.set(id, sequence);
    queue.push({ id, sequence, isGone });
  }
  function apply(): void {
    const next = queue.shift();
    if (next === undefined) return;
    const { id, sequence, isGone } = next;
    if (isGone) site.copies.delete(id);
    else site.put(id, sequence);
    site.sequence = sequence;
  }
  function live(): void {
    for (let steps = Math.floor(random() * 6); steps > 0; steps -= 1) (random() < 0.5 ? write : apply)();
  }
  const told = async <T>(answer: () => T | Promise<T>): Promise<T> => {
    live();
    const value = await answer();
    live();
    return value;
  };
  const planned: PlannedSource = {
    ranges: (asked) => told(() => log.ranges(asked)),
    lines: (asked) => told(() => log.lines(asked)),
    copies: (keys) => told(() => log.planned(keys)),
    names: (keys) => told(() => log.named(keys)),
    lastChanges: (documents) =>
      told(() =>
        documents.flatMap((id) => {
          const sequence = last.get(id);
          return sequence === undefined ? [] : [{ document_id: id, epoch: 1, sequence: String(sequence) }];
        }),
      ),
  };
  const held: HeldSource = {
    site: "eu-fra",
    scrub: () => Promise.resolve([]),
    ranges: (asked) => told(() => site.ranges(asked)),
    lines: (asked) => told(() => site.lines(asked)),
    copies: (asked) => told(() => site.found(asked)),
  };
  const window = new ReadWindow();
  const round = (turn: number) =>
    compareSite({ planned, held, mayHold: () => true, suspects: [], turn, window }, never);
  return { log, site, last, round, write, apply, queue };
}

it("finds no fault in a site that only follows late, whatever is written and applied between the questions (I25)", async () => {
  let pending = 0;
  for (let seed = 1; seed <= 12; seed += 1) {
    const { round, write, apply } = running(seed);
    for (let count = 0; count < 300; count += 1) (count % 3 === 0 ? apply : write)();
    for (let turn = 0; turn < 6; turn += 1) {
      const compared = await round(turn);
      expect(compared.faults, `seed ${seed}`).toEqual([]);
      pending += compared.pending;
    }
  }
  expect(pending).toBeGreaterThan(50);
});

it("finds each fault among writes that go on, once the site has been told of the document (I25)", async () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const { log, site, last, round, write, apply, queue } = running(seed);
    for (let count = 0; count < 300; count += 1) write();
    while (queue.length > 0) apply();
    // Outside the documents that are written to meanwhile.
    const quiet = ["missing", "stale", "extra"];
    log.sequence += 2;
    for (const [at, id] of quiet.slice(0, 2).entries()) {
      log.put(id, log.sequence + at - 1);
      last.set(id, log.sequence + at - 1);
    }
    site.sequence = log.sequence;
    site.put("stale", 3);
    site.put("extra", 5);
    const found = new Map<string, string>();
    for (let turn = 0; turn < 5; turn += 1)
      for (const { document_id: id, kind } of (await round(turn)).faults) found.set(id, kind);
    expect(Object.fromEntries(found), `seed ${seed}`).toEqual({
      missing: "missing",
      stale: "stale",
      extra: "extra",
    });
  }
});

it("asks the log for no document that it cannot name, whatever a store says (I25)", async () => {
  const { log, site, last } = running(3);
  const window = new ReadWindow();
  const asked: string[] = [];
  for (const [sequence, id] of ["a\u0000b", "c\ud800d", "", "missing"].entries()) {
    const side = id === "missing" ? log : site;
    side.put(id, sequence + 1);
    const copy = side.copies.get(id);
    if (copy !== undefined && side === site) side.copies.set(id, { ...copy, residency: "e\u0000u" });
  }
  last.set("missing", 1);
  log.sequence = 9;
  site.sequence = 9;
  const { faults } = await compareSite(
    {
      planned: {
        ranges: (ranges) => log.ranges(ranges),
        lines: (ranges) => log.lines(ranges),
        copies: (keys) => Promise.resolve(log.planned(keys)),
        names: (keys) => Promise.resolve(log.named(keys)),
        lastChanges(documents) {
          asked.push(...documents);
          return Promise.resolve([{ document_id: "missing", epoch: 1, sequence: "1" }]);
        },
      },
      held: {
        site: "eu-fra",
        scrub: () => Promise.resolve([]),
        ranges: (ranges) => site.ranges(ranges),
        lines: (ranges) => site.lines(ranges),
        copies: (wanted) => Promise.resolve(site.found(wanted)),
      },
      mayHold: (name) => name === "eu",
      suspects: [],
      turn: 0,
      window,
    },
    never,
  );
  expect(asked).toEqual(["missing"]);
  expect(faults.map(({ kind, class: name }) => `${kind} ${name}`).toSorted()).toEqual([
    "leak unknown",
    "leak unknown",
    "leak unknown",
    "missing eu",
  ]);
});
