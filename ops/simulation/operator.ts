/** The person whom a halted stream calls, with the runbook for a failover. */
import type { Site } from "./site.ts";
import type { World } from "./world.ts";

const LOOKS_EVERY_MS = 3_000;

export async function operate(world: World): Promise<void> {
  for (;;) {
    await world.clock.sleep(LOOKS_EVERY_MS);
    restartHalted(world);
    rebuildSuspects(world);
  }
}

/** Rebuilds a target that diverges, restarts replication; a halt without a reason is a violation. */
function restartHalted(world: World): void {
  const halted = world.running.filter(({ process }) =>
    process.status().some(({ state }) => state === "halted"),
  );
  const streams = halted.flatMap(({ process }) => process.status().filter(({ state }) => state === "halted"));
  for (const { site: id, code, detail } of streams) {
    const reason = `${code ?? ""}: ${detail ?? ""}`;
    world.note(`the operator finds ${id} halted: ${reason}`);
    if (!world.has("failover")) world.fail(`${id} halted without a reason: ${reason}`);
    const isDiverged = world.sites.some((site) => site.id === id && world.hasLost(site.watermark));
    const told = world.told.get(id);
    const wasTold = told !== undefined && world.hasLost(told);
    if (code === "divergence" && !isDiverged && !wasTold && !world.suspects.has(id))
      world.fail(`${id} halted, which stands where the log is: ${reason}`);
  }
  for (const site of world.sites) {
    const isHalted = streams.some(({ site: id, code }) => id === site.id && code === "divergence");
    if (isHalted && world.hasLost(site.watermark)) world.rebuild(site);
  }
  if (halted.length > 0) restartAll(world);
}

/**
 * Rebuilds, once the former primary is surely gone, each target that was told of changes which were lost.
 *
 * One that applied such a change is found by the feed; this is about those that took nothing of it, but were spared what
 * it superseded.
 */
function rebuildSuspects(world: World): void {
  const isFormerAlive = [...world.reigns.values()].some((reign) => reign !== world.primary && reign.isAlive);
  if (isFormerAlive) return;
  const suspects = world.sites.filter(
    (site: Site) => world.suspects.has(site.id) && !world.hasLost(site.watermark),
  );
  for (const site of suspects) world.rebuild(site);
  if (suspects.length > 0) restartAll(world);
}

/** What a process remembers of a target that was rebuilt is of no use any more. */
function restartAll(world: World): void {
  for (const running of world.running.slice()) world.kill(running);
  world.start();
}
