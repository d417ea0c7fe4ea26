/** What must hold in a simulated history at every step, and at its end. */
import { dayOf } from "@kattegat/config/day.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { compareFences, compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";
import type { DocumentState } from "@kattegat/primary-dk/documents/state.ts";
import { START_MS } from "./clock.ts";
import type { Fault } from "./faults.ts";
import type { Held, LogRow, SimulatedPrimary } from "./primary.ts";
import type { Copy, Site } from "./site.ts";
import { Violation } from "./violation.ts";
import { NETWORK, type World } from "./world.ts";

/** No list of countries ends within a history. */
const TODAY = dayOf(START_MS);

interface Seen {
  readonly stamp: number;
  readonly life: number;
  readonly watermark: Fence;
  readonly copies: ReadonlyMap<string, Copy>;
}

/** Safety after every step: each site is compared with the log of the reign that it is in. */
export class Safety {
  readonly #world: World;
  readonly #seen = new Map<string, Seen>();

  constructor(world: World) {
    this.#world = world;
    world.settling = (reign, held, sites) => {
      const missing = this.#missingOf(reign, held, sites);
      if (missing !== null)
        world.fail(`${held.state.id} is withdrawn from its old sites before ${missing} has it`);
    };
  }

  check(): void {
    for (const site of this.#world.sites) {
      const before = this.#seen.get(site.id);
      if (before?.stamp === site.stamp) continue;
      const { stamp, life, watermark } = site;
      const copies = site.copies();
      this.#seen.set(site.id, { stamp, life, watermark, copies });
      const damage = site.damage();
      if (damage !== null) throw new Violation(`${site.id}: ${damage}`);
      if (before?.life === life) assertForward(site, before, { watermark, copies });
      this.#assertLawful(site, copies);
      this.#assertInStep(site, watermark, copies);
    }
  }

  #assertLawful({ id }: Site, copies: ReadonlyMap<string, Copy>): void {
    for (const { documentId, residency } of copies.values())
      if (!isLawful(id, residency)) throw new Violation(`${id} holds ${documentId}, which is ${residency}`);
  }

  #assertInStep(site: Site, watermark: Fence, copies: ReadonlyMap<string, Copy>): void {
    if (watermark.epoch === 0 && copies.size === 0) return;
    if (this.#world.suspects.has(site.id)) return;
    for (const copy of copies.values()) {
      const fence = copy.fence !== null && compareFences(copy.fence, watermark) > 0 ? copy.fence : watermark;
      const reign = this.#reignOf(site, fence);
      const isLast = reign.documents.get(copy.documentId)?.state.version === copy.version;
      // A write that was cut short and then superseded is mended by the change that superseded it.
      if (copy.isMixed && (isLast || site.kind === "edge"))
        throw new Violation(`${site.id} shows ${copy.documentId} more than once, or not as it was written`);
      assertPlanned(site, copy, { reign, sequence: fence.sequence });
    }
    if (watermark.epoch > 0) this.#assertComplete(site, watermark, copies);
  }

  /** What no later change concerns is at the site, if it belongs there. */
  #assertComplete(site: Site, watermark: Fence, copies: ReadonlyMap<string, Copy>): void {
    const reign = this.#reignOf(site, watermark);
    for (const [id, held] of reign.documents) {
      if (compareSequences(held.state.sequence, watermark.sequence) > 0) continue;
      const copy = copies.get(id);
      const isWanted = isWantedAt(site, held, reign);
      if (!isWanted && copy !== undefined)
        throw new Violation(`${site.id} still shows ${id} of ${copy.version} where it takes no other`);
      if (isWanted && copy === undefined)
        throw new Violation(`${site.id} passed ${watermark.sequence} without ${id} of ${held.state.carried}`);
      if (isWanted && copy !== undefined && copy.version !== held.state.version)
        throw new Violation(
          `${site.id} shows ${id} of ${copy.version}, which is now of ${held.state.version}`,
        );
    }
  }

  #reignOf(site: Site, fence: Fence): SimulatedPrimary {
    const reign = this.#world.reigns.get(fence.epoch);
    const row = reign?.rows[Number(fence.sequence) - 1];
    if (reign === undefined || row?.epoch !== fence.epoch)
      throw new Violation(`${site.id} stands at (${fence.epoch}, ${fence.sequence}), which no log has`);
    // What the site was spared depends on the log that it reads, which may be the heir's.
    const read = this.#world.reigns.get(this.#world.told.get(site.id)?.epoch ?? 0);
    return read?.rows[Number(fence.sequence) - 1]?.epoch === fence.epoch ? read : reign;
  }

  /** A document is never nowhere: its new sites have it before the old ones withdraw it (I10). */
  #missingOf(reign: SimulatedPrimary, held: Held, sites: readonly string[]): string | null {
    const { id, version } = held.state;
    for (const site of this.#world.sites) {
      // What a site confirmed says nothing where it has lost it since, or was spared it for a change that was lost.
      if (!sites.includes(site.id)) continue;
      if (this.#world.bereaved.has(site.id) || this.#world.suspects.has(site.id)) continue;
      // One that follows an heir has what the heir's log says, whatever a primary that lost its reign goes on to settle.
      if (site.watermark.epoch > reign.epoch) continue;
      if (!isWantedAt(site, held, reign)) {
        if (tellsEveryRefusal(this.#world)) return site.id;
        continue;
      }
      const copy = site.copies().get(id);
      if (copy === undefined || compareSequences(copy.version, version) < 0) return site.id;
    }
    return null;
  }
}

/** Watermarks never go back, nor do the changes behind copies. */
function assertForward(site: Site, before: Seen, after: Pick<Seen, "watermark" | "copies">): void {
  if (compareFences(after.watermark, before.watermark) < 0)
    throw new Violation(
      `the watermark of ${site.id} went back from ${told(before.watermark)} to ${told(after.watermark)}`,
    );
  for (const [id, copy] of after.copies) {
    const former = before.copies.get(id);
    if (former?.fence && copy.fence && compareFences(copy.fence, former.fence) < 0)
      throw new Violation(`${site.id} put ${id} of ${told(copy.fence)} over that of ${told(former.fence)}`);
  }
}

/** A copy is one that the log gave the site, and has not taken away since. */
function assertPlanned(
  site: Site,
  copy: Copy,
  { reign, sequence }: { readonly reign: SimulatedPrimary; readonly sequence: string },
): void {
  const { documentId, version, text } = copy;
  const rows = reign.rowsOf(documentId).filter((row) => compareSequences(row.sequence, sequence) <= 0);
  const holds = (row: LogRow): boolean => row.held_after.includes(site.id);
  const last = rows.at(-1);
  if (last === undefined) throw new Violation(`${site.id} holds ${documentId}, which the log does not have`);
  if (!holds(last)) {
    const was = last.kind === "delete" ? "was erased" : "was withdrawn";
    throw new Violation(`${site.id} holds ${documentId} of ${version}, which ${was} at ${last.sequence}`);
  }
  const since = rows.slice(rows.findLastIndex((row) => !holds(row)) + 1);
  if (!since.some(({ after }) => after?.state.version === version && after.content.value.text === text))
    throw new Violation(`${site.id} holds ${documentId} of ${version}, which it was not given by this log`);
}

/** Where a document in this state belongs stays as it is for the whole history. */
const wanted = new WeakMap<Held, Map<string, boolean>>();

function isWantedAt(site: Site, held: Held, reign: SimulatedPrimary): boolean {
  const bySite = wanted.get(held) ?? new Map<string, boolean>();
  wanted.set(held, bySite);
  const known = bySite.get(site.id) ?? belongsTo(site, held, reign);
  bySite.set(site.id, known);
  return known;
}

function belongsTo({ id, kind }: Site, { state, content }: Held, reign: SimulatedPrimary): boolean {
  const isPoisoned = content.poison === "vector" || (content.poison === "body" && kind === "regional");
  return reign.placements.holders(state).includes(id) && isLawful(id, state.residency) && !isPoisoned;
}

/** What the file that never changes says on a day that never ends, by site and class. */
const lawful = new Map<string, boolean>();

function isLawful(id: string, residency: string): boolean {
  const name = `${id} ${residency}`;
  const known = lawful.get(name) ?? mayHold(NETWORK, residency, { id }, TODAY);
  lawful.set(name, known);
  return known;
}

function isNamed(world: World, { id }: Site, { carried }: DocumentState): boolean {
  return world.parked.has(`${id} ${carried}`);
}

const told = ({ epoch, sequence }: Fence): string => `(${epoch}, ${sequence})`;

/** Returns what still differs from what policy and log say; null when nothing does. */
export function differenceOf(world: World): string | null {
  const { primary } = world;
  for (const held of primary.documents.values())
    if (held.state.moving_from !== null && !isRefused(world, held))
      return `${held.state.id} is still on its way to ${held.state.tier}`;
  const unnamed = unnamedOf(world);
  if (unnamed !== null) return unnamed;
  const head: Fence = { epoch: primary.rows.at(-1)?.epoch ?? 0, sequence: primary.head };
  for (const site of world.sites) {
    if (compareFences(site.watermark, head) !== 0)
      return `${site.id} is at ${told(site.watermark)} of ${told(head)}`;
    const copies = site.copies();
    const wanted = new Map([...primary.documents].filter(([, held]) => isWantedAt(site, held, primary)));
    for (const [id, { state }] of wanted)
      if (copies.get(id)?.version !== state.version)
        return `${site.id} has ${copies.get(id)?.version ?? "nothing"} of ${id}, expected ${state.version}`;
    for (const id of copies.keys()) if (!wanted.has(id)) return `${site.id} still has ${id}`;
  }
  return null;
}

/** With these an answer can be lost that named a refused change; the log of the primary says which it was. */
const LOSING: readonly Fault[] = [
  "drop",
  "partition",
  "crash-replication",
  "crash-site",
  "overlap",
  "failover",
  "restore",
  "vanish",
  "away",
];

function tellsEveryRefusal(world: World): boolean {
  return !LOSING.some((fault) => world.has(fault));
}

/** Whether one of the sites that a move leads to takes no such document: then it stays where it was. */
function isRefused({ primary, sites }: World, held: Held): boolean {
  const { residency, tier } = held.state;
  const wanted = primary.placements.of(residency, tier);
  return sites.some((site) => wanted.includes(site.id) && !isWantedAt(site, held, primary));
}

/** Returns a change that a site could not take, without anybody having named it (I15). */
function unnamedOf(world: World): string | null {
  if (!tellsEveryRefusal(world)) return null;
  for (const site of world.sites) {
    for (const [id, held] of world.primary.documents) {
      const isPlanned = world.primary.placements.holders(held.state).includes(site.id);
      if (isPlanned && !isWantedAt(site, held, world.primary) && !isNamed(world, site, held.state))
        return `${site.id} could not take ${id} of ${held.state.carried}, which nobody says`;
    }
  }
  return null;
}
