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
