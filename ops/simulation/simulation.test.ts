import { describe, expect, it } from "vitest";
import { FAULTS, optionsOf, type SimulationOptions } from "./faults.ts";
import { PLANTS } from "./plants.fixture.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 200;
/** A mistake that needs more is one that the histories do not look for. */
const SEEDS_TO_CATCH_MAX = 60;

Error.stackTraceLimit = 0;

/** The first seed whose history shows a violation, with it. */
async function firstViolation(
  optionsFor: (seed: number) => SimulationOptions,
  plant: (typeof PLANTS)[number],
): Promise<{ readonly seed: number; readonly violation: string } | null> {
  for (let seed = 1; seed <= SEEDS_TO_CATCH_MAX; seed += 1) {
    const { violation } = await simulate(optionsFor(seed), { seams: plant.seams() });
    if (violation !== null) return { seed, violation };
  }
  return null;
}

describe("a network of a primary, two regionals, and two edges", () => {
  it(`holds what it may at every step, and what it should once faults have ended, for ${SEEDS} seeds (I1, I2, I3, I5, I8, I9, I10, I12, I15)`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const options = optionsOf(seed);
      const { violation } = await simulate(options);
      expect(violation, `npm run simulate -- --seed ${seed}, with ${options.faults.join(", ")}`).toBeNull();
    }
  });

  it.each(FAULTS)("comes out of a history whose only fault is %s, and of one without it", async (fault) => {
    for (let seed = 1; seed <= 2; seed += 1) {
      expect((await simulate({ ...optionsOf(seed), faults: [fault] })).violation, `seed ${seed}`).toBeNull();
      const others = FAULTS.filter((other) => other !== fault);
      expect((await simulate({ ...optionsOf(seed), faults: others })).violation, `seed ${seed}`).toBeNull();
    }
  });

  it("shows nothing of a document whose withdrawal was broken off, when the watermark passes an earlier change of it (I9)", async () => {
    const faults = ["delay", "crash-replication", "crash-site", "clock-jump", "away"] as const;
    const options: SimulationOptions = { seed: 44_815, faults, documents: 8, writes: 24 };
    expect((await simulate(options)).violation).toBeNull();
  });

  it("takes no batch that begins a reign before the place to which a store went back (I2)", async () => {
    const faults = [
      ...(["drop", "repeat", "delay", "clock-jump", "slow", "failover"] as const),
      ...(["zombie", "restore", "vanish", "wide-sender"] as const),
    ];
    const options: SimulationOptions = { seed: 58_775, faults, documents: 12, writes: 41 };
    expect((await simulate(options)).violation).toBeNull();
  });

  it("has the same history each time that a seed is run", async () => {
    const first = await simulate(optionsOf(7), { isTraced: true });
    const second = await simulate(optionsOf(7), { isTraced: true });
    expect(first.trace.length).toBeGreaterThan(20);
    expect(second).toEqual(first);
  });
});

describe("a planted mistake", () => {
  it.each(PLANTS)("is caught: $mistake ($invariants)", async (plant) => {
    const { faults, load, caughtAs } = plant;
    const caught = await firstViolation((seed) => ({ ...optionsOf(seed), faults, ...load }), plant);
    expect(caught?.violation, `within ${SEEDS_TO_CATCH_MAX} seeds`).toMatch(caughtAs);
    expect((await simulate({ ...optionsOf(caught?.seed ?? 1), faults, ...load })).violation).toBeNull();
  });

  it("is shrunk to a history of fewer faults and writes that shows it still", async () => {
    const plant = PLANTS.find(({ mistake }) => mistake.startsWith("a change that a later one"));
    const seams = plant?.seams();
    const options = { ...optionsOf(1), faults: [...FAULTS] };
    const smaller = await shrink(options, seams);
    expect(smaller.faults.length).toBeLessThan(options.faults.length);
    expect(smaller.writes).toBeLessThan(options.writes);
    expect((await simulate(smaller, seams === undefined ? {} : { seams })).violation).not.toBeNull();
  });
});
