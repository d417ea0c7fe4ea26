/** Runs one history. */
import { differenceOf, Safety } from "./checks.ts";
import type { SimulationOptions } from "./faults.ts";
import { FAULTS_MS, plan } from "./history.ts";
import { operate } from "./operator.ts";
import { Violation } from "./violation.ts";
import { SEAMS, World, type Building } from "./world.ts";
import { START_MS } from "./clock.ts";

/** Requests that were lost have given up by then, and every wait after failures has ended. */
const QUIET_MS_MAX = 300_000;
/** A history of the most writes takes a third of it. */
const STEPS_MAX = 60_000;

export interface Outcome {
  /** What went wrong; null when nothing did. */
  readonly violation: string | null;
  readonly steps: number;
  readonly trace: readonly string[];
}

/** Resolves with how the history of these options ends; the same each time. */
export async function simulate(
  options: SimulationOptions,
  { seams = SEAMS, isTraced = false }: Partial<Building> = {},
): Promise<Outcome> {
  const world = new World(options, { seams, isTraced });
  const safety = new Safety(world);
  let steps = 0;
  plan(world);
  world.start();
  void operate(world);
  const assertSafe = (): void => {
    steps += 1;
    if (world.violation !== null) throw new Violation(world.violation);
    safety.check();
    if (steps > STEPS_MAX) throw new Violation(`the history has not ended after ${STEPS_MAX} steps`);
  };
  try {
    await world.clock.run(() => {
      assertSafe();
      return world.clock.nowMs < START_MS + FAULTS_MS;
    });
    world.wire.heal();
    if (world.running.length === 0) world.start();
    for (const running of world.running) running.primary = world.primary;
    world.note("quiet");
    let known = "";
    const isAgreed = (): boolean => {
      const state = world.state();
      if (state === known) return false;
      known = state;
      return differenceOf(world) === null;
    };
    const goesOn = (): boolean => {
      if (isAgreed()) return false;
      if (world.clock.nowMs > START_MS + FAULTS_MS + QUIET_MS_MAX)
        throw new Violation(`no agreement after quiet: ${differenceOf(world) ?? ""}`);
      return true;
    };
    if (goesOn())
      await world.clock.run(() => {
        assertSafe();
        return goesOn();
      });
    return { violation: null, steps, trace: world.trace };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    world.note(error.message);
    return { violation: error.message, steps, trace: world.trace };
  } finally {
    world.end();
  }
}
