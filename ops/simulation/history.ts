/** The writes and faults of one history. */
import { NO_PRECONDITION } from "@kattegat/primary-dk/documents/precondition.ts";
import type { TierName } from "@kattegat/config/network.ts";
import { contentOf, type Poison } from "./content.ts";
import type { Fault } from "./faults.ts";
import type { SimulatedPrimary } from "./primary.ts";
import { RegionalSite } from "./regional-site.ts";
import type { Site } from "./site.ts";
import type { World } from "./world.ts";

/** How long there are faults. */
export const FAULTS_MS = 25_000;
/** Writes come in bursts, so that batches are of every size. */
const BURST_MS = 500;
/** More than a page of the feed holds at times, so that a target may have been told of what it has not been sent. */
const LOST_MAX = 25;
/** Beyond the serials of every write: one text is refused by its door, or by none. */
const REIGN_SERIALS = 1_000_000;
const TIERS: readonly TierName[] = ["hot", "warm", "cold"];
const CLASSES = ["dk-only", "eu", "global"] as const;

/** Plans every write and fault of the history; what each does is decided when its time comes. */
export function plan(world: World): void {
  const { clock, options, random } = world;
  const bursts = Array.from({ length: 3 + Math.floor(random() * 10) }, () => random() * FAULTS_MS);
  for (let serial = 1; serial <= options.writes; serial += 1)
    clock.after(pick(random, bursts) + random() * BURST_MS, () => write(world, world.primary, serial));
  for (const [fault, act] of ACTS) {
    if (!world.has(fault)) continue;
    const times = 1 + Math.floor(random() * 3);
    for (let time = 0; time < times; time += 1) clock.after(random() * FAULTS_MS * 0.9, () => act(world));
  }
}

const pick = <T>(random: () => number, items: readonly T[]): T => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError("expected something to choose from");
  return item;
};

function write(world: World, primary: SimulatedPrimary, serial: number): void {
  const { random, options } = world;
  if (!primary.isAlive) return;
  const id = `d${Math.floor(random() * options.documents)}`;
  const kind = random();
  const held = primary.documents.get(id);
  const common = { id, zone: "eu", precondition: NO_PRECONDITION } as const;
  if (kind < 0.2) {
    const sequence = primary.write({ kind: "delete", ...common }, null);
    world.note(`${told(primary, sequence)} erase ${id}`);
    return;
  }
  if (kind < 0.3 && held !== undefined) {
    const { carried, predicted_use: use, score } = held.state;
    const tier = pick(random, TIERS);
    const sequence = primary.write({ kind: "move", id, carried, tier, use, score }, null);
    world.note(`${told(primary, sequence)} move ${id} to ${tier}`);
    return;
  }
  const draft = {
    id,
    serial,
    residency: kind < 0.45 && held !== undefined ? "dk-only" : pick(random, CLASSES),
    tier: random() < 0.7 ? pick(random, TIERS) : null,
    importance: random(),
    passages: 1 + Math.floor(random() * 3),
    poison: poisonOf(world),
  };
  const content = contentOf(draft);
  if (content.poison === "body") world.tooLarge.add(content.value.text);
  const sequence = primary.write({ kind: "put", ...common, content: content.value }, content);
  world.note(
    `${told(primary, sequence)} put ${id}, ${draft.residency}, ${draft.tier ?? "any tier"}, poison ${draft.poison ?? "none"}`,
  );
}

const told = ({ epoch }: SimulatedPrimary, sequence: string | null): string =>
  sequence === null ? "nothing:" : `(${epoch}, ${sequence})`;

function poisonOf(world: World): Poison {
  if (!world.has("poison") || world.random() > 0.2) return null;
  return world.random() < 0.5 ? "vector" : "body";
}

type Act = (world: World) => void;

const ACTS: ReadonlyMap<Fault, Act> = new Map([
  ["partition", partition],
  ["crash-replication", crashReplication],
  ["crash-site", crashSite],
  ["clock-jump", jumpClock],
  ["slow", slowDown],
  ["failover", failOver],
  ["restore", restore],
  ["vanish", vanish],
  ["away", goAway],
  ["overlap", overlap],
]);

function partition(world: World): void {
  const { random, wire, clock } = world;
  const site = pick(random, world.sites).id;
  const name = `replication-${1 + Math.floor(random() * 3)}`;
  const direction = random() < 0.5 ? `${name}>${site}` : `${site}>${name}`;
  wire.cut.add(direction);
  world.note(`${direction} is cut`);
  clock.after(random() * 15_000, () => wire.cut.delete(direction));
}

function crashReplication(world: World): void {
  const [running] = world.running;
  if (running === undefined) return;
  world.kill(running);
  world.clock.after(world.random() * 5_000, () => world.start());
}

/** Twenty times within a second, so that one of them meets a batch between data and watermark. */
function crashSite(world: World): void {
  const site = pick(world.random, world.sites);
  for (let time = 0; time < 20; time += 1)
    world.clock.after(world.random() * 1_000, () => {
      site.restart();
    });
  world.note(`${site.id} crashes, again and again`);
}

function jumpClock(world: World): void {
  const running = world.running.at(-1);
  if (running === undefined) return;
  running.clock.jumpMs = (world.random() - 0.5) * 4 * 3_600_000;
  world.note(`the clock of one replication jumps to ${Math.round(running.clock.jumpMs / 1_000)} s`);
}

function slowDown(world: World): void {
  const { id } = pick(world.random, world.sites);
  world.wire.slow.add(id);
  world.note(`${id} is slow`);
  world.clock.after(world.random() * 15_000, () => world.wire.slow.delete(id));
}

/** The standby reigns without the last changes; who asks for the primary finds the new one sooner or later. */
function failOver(world: World): void {
  const { random, clock } = world;
  const former = world.primary;
  const lost = Math.floor(random() * Math.min(LOST_MAX, former.rows.length));
  world.note(`reign ${former.epoch} ends at ${former.rows.length}, of which ${lost} are lost`);
  const next = former.promoted(former.rows.length - lost);
  world.reigns.set(next.epoch, next);
  world.primary = next;
  beginReign(next);
  for (const [site, head] of world.told) if (world.hasLost(head)) world.suspect(site);
  if (!world.has("zombie")) former.die();
  else
    for (let time = 0; time < 3; time += 1)
      clock.after(random() * 10_000, () => write(world, former, 10_000 + next.epoch * 100 + time));
  clock.after(10_000 + random() * 10_000, () => former.die());
  for (const running of world.running)
    clock.after(random() * 10_000, () => {
      running.primary = world.primary;
    });
}

/** A reign begins with a change of its own: from then on no site takes anything of the former one. */
function beginReign(primary: SimulatedPrimary): void {
  const content = contentOf({
    id: "reign",
    serial: REIGN_SERIALS + primary.epoch,
    residency: "global",
    tier: "warm",
    importance: 1,
    passages: 1,
    poison: null,
  });
  primary.write(
    { kind: "put", id: "reign", zone: "eu", precondition: NO_PRECONDITION, content: content.value },
    content,
  );
}

function restore(world: World): void {
  const site = pick(world.random, world.sites);
  site.backup();
  const reigns = world.reigns.size;
  world.clock.after(world.random() * 20_000, () => {
    if (!world.wire.isFaulty) return;
    suspectLost(world, site);
    if (!site.restore()) return;
    world.bereaved.add(site.id);
    if (world.reigns.size > reigns) world.suspect(site.id);
    world.note(`${site.id} is restored from its backup`);
  });
}

function vanish(world: World): void {
  const site = pick(world.random, world.sites);
  suspectLost(world, site);
  world.bereaved.add(site.id);
  if (site instanceof RegionalSite) site.vanish();
  else site.wipe();
  world.note(`the store of ${site.id} vanishes`);
}

/** A stream that halted for where its site stood is found when the site may stand elsewhere. */
function suspectLost(world: World, { id, watermark }: Site): void {
  if (world.hasLost(watermark)) world.suspect(id);
}

/** Comes back with what it had, after more changes than tombstones are kept for. */
function goAway(world: World): void {
  const { random, wire, clock } = world;
  const site = pick(random, world.sites);
  site.backup();
  const directions = [1, 2, 3, 4, 5, 6].map((number) => `replication-${number}>${site.id}`);
  for (const direction of directions) wire.cut.add(direction);
  world.note(`${site.id} is away`);
  for (let serial = 0; serial < 40; serial += 1)
    clock.after(random() * 10_000, () =>
      write(world, world.primary, 20_000 + world.primary.rows.length * 100 + serial),
    );
  clock.after(10_000, () => {
    for (const direction of directions) wire.cut.delete(direction);
    world.note(`${site.id} is back`);
  });
}

/** A deployment starts the next replication before it ends the one before. */
function overlap(world: World): void {
  world.start();
  world.clock.after(world.random() * 20_000, () => {
    if (world.running.length > 1) world.kill(pick(world.random, world.running));
  });
}
