import { expect, it } from "vitest";
import type { Fault } from "./judge.ts";
import { createRepairBudget } from "./repair-budget.ts";

const fault = (document_id: string, kind: Fault["kind"] = "missing"): Fault => ({
  kind,
  document_id,
  class: "eu",
  detail: "",
});

it("repairs so many a minute, leaks first, and tells of the others (I25)", () => {
  const clock = { ms: 1_000_000 };
  const budget = createRepairBudget({ repairsPerMinute: 2, now: () => clock.ms });
  const faults = [fault("a"), fault("b", "stale"), fault("c", "leak"), fault("d", "extra")];
  const first = budget.take(faults);
  expect(first.now.map(({ document_id: id }) => id)).toEqual(["c", "d"]);
  expect(first.unhealed).toBe(2);
  expect(budget.take([fault("a")]).now).toEqual([]);
  clock.ms += 60_001;
  expect(budget.take([fault("a"), fault("b", "stale")]).now).toHaveLength(2);
});

it("waits longer each time before it repairs a copy that a repair did not heal", () => {
  const clock = { ms: 1_000_000 };
  const budget = createRepairBudget({ repairsPerMinute: 1_000, now: () => clock.ms });
  const repairedAt: number[] = [];
  for (; clock.ms < 1_400_000; clock.ms += 1_000)
    if (budget.take([fault("parked")]).now.length > 0) repairedAt.push(clock.ms - 1_000_000);
  expect(repairedAt).toEqual([0, 5_000, 25_000, 105_000]);
});

it("counts what the log cannot name, and never asks for it", () => {
  const budget = createRepairBudget({ repairsPerMinute: 10, now: () => 1 });
  expect(budget.take([fault("(point 7)", "extra")])).toEqual({ now: [], unhealed: 1 });
});

it("repairs no further document while it remembers as many as it may, and all of them wait (I25)", () => {
  const clock = { ms: 1_000_000 };
  const budget = createRepairBudget({ repairsPerMinute: 100_000, now: () => clock.ms });
  const faults = Array.from({ length: 10_050 }, (_, number) => fault(`d${number}`));
  const first = budget.take(faults);
  expect([first.now.length, first.unhealed]).toEqual([10_000, 50]);
  // A second later none of them may be forgotten: each would be repaired again at once.
  clock.ms += 1_000;
  expect(budget.take(faults).now).toEqual([]);
  clock.ms += 4_000;
  const second = budget.take(faults);
  expect(second.now).toHaveLength(10_000);
  clock.ms += 19_999;
  expect(budget.take(faults).now).toEqual([]);
});

it("forgets those whose wait is over for others, never one that is asked for", () => {
  const clock = { ms: 1_000_000 };
  const budget = createRepairBudget({ repairsPerMinute: 100_000, now: () => clock.ms });
  const faults = Array.from({ length: 10_000 }, (_, number) => fault(`d${number}`));
  budget.take(faults);
  clock.ms += 5_000;
  expect(budget.take([fault("d0"), fault("other")]).now).toHaveLength(2);
  clock.ms += 5_000;
  // Its second wait is 20 s, as it would be had it not been in the way.
  expect(budget.take([fault("d0")]).now).toEqual([]);
});

it("waits an hour for a copy that the site has refused for good", () => {
  const clock = { ms: 1_000_000 };
  const budget = createRepairBudget({ repairsPerMinute: 1_000, now: () => clock.ms });
  const faults = [fault("refused"), fault("late")];
  budget.take(faults);
  budget.written([
    { document_id: "refused", sequence: "7" },
    { document_id: "late", sequence: "8" },
  ]);
  clock.ms += 1_000;
  budget.parked(new Set(["7"]));
  clock.ms += 5_000;
  expect(budget.take(faults).now.map(({ document_id: id }) => id)).toEqual(["late"]);
  clock.ms += 3_590_000;
  expect(budget.take([fault("refused")]).now).toEqual([]);
  clock.ms += 10_000;
  expect(budget.take([fault("refused")]).now).toHaveLength(1);
});
