import { rmSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { historyArbitrary } from "./history.fixture.ts";
import { makeDataFolder } from "./network.fixture.ts";
import { World } from "./world.fixture.ts";

/** A fixed set; `KATTEGAT_HISTORIES=100 KATTEGAT_SEED=7` runs others, `KATTEGAT_PATH` one of them as a failure prints it. */
const HISTORIES = Number(process.env["KATTEGAT_HISTORIES"] ?? 2);
const SEED = Number(process.env["KATTEGAT_SEED"] ?? 1);
const PATH = process.env["KATTEGAT_PATH"];
const HISTORY_MS_MAX = 240_000;

let world: World;
const data = makeDataFolder();

beforeAll(async () => {
  world = new World(data);
  await world.start("as it is");
}, HISTORY_MS_MAX);

afterAll(async () => {
  await world?.stop();
  // oxlint-disable-next-line node/no-process-env -- for a person who looks into a failure
  if (process.env["KATTEGAT_KEEP"] === undefined) rmSync(data, { recursive: true, force: true });
}, HISTORY_MS_MAX);

it(
  "holds nothing anywhere that policy forbids at any step of a random history, and exactly what it should after quiet (I2, I4, I5, I9, I10, I11)",
  { timeout: HISTORIES * HISTORY_MS_MAX },
  async () => {
    const history = fc.asyncProperty(historyArbitrary, async (steps) => {
      world.begin();
      for (const step of steps) {
        await world.take(step);
        expect(await world.violations(), JSON.stringify(step)).toEqual([]);
        if (step.kind === "configure") expect(await world.quiet()).toEqual([]);
      }
      expect(await world.quiet()).toEqual([]);
      expect(await world.violations()).toEqual([]);
    });
    // Each history goes on where the former ended, so a smaller one would not fail alone: the seed tells all of them.
    await fc.assert(history, {
      seed: SEED,
      numRuns: HISTORIES,
      endOnFailure: true,
      ...(PATH === undefined ? {} : { path: PATH }),
    });
  },
);
