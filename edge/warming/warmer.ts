/** Reads ahead, at each Cloudflare location, the lists that it will be asked for. */
import type { Piece } from "@kattegat/engine/cold/base/piece.ts";
import type { OpenBase } from "../cold/base-shelf.ts";
import type { SessionOptions } from "../cold/piece-reader.ts";
import type { CacheLike } from "../cold/result-cache.ts";
import { WAITING_CONNECTIONS_MAX } from "../cold/connections.ts";
import { createSubrequests } from "../cold/subrequests.ts";
import { nearestAncestors } from "./ancestors.ts";
import { createHeat, HEAT_COUNTERS_MAX, HEAT_HALF_LIFE_MS, type Heat } from "./heat.ts";
import { createHabitStore, type HabitStore } from "./habits.ts";
import { planWarming, WARMING_BUDGET } from "./plan.ts";
import { initialWarming, next, type WarmingEvent, type WarmingState } from "./warming.ts";
import { createWeek, HOUR_MS, type Week } from "./week.ts";

/** A run goes on after the answer, for as long as the platform lets a request's work last (30 s), with room. */
const RUN_MS_MAX = 20_000;
/** So often at most a location's habits are written down, for the isolates that come after this one. */
const SAVE_MS = 5 * 60_000;

export interface Warmer {
  /** Counts the lists that a search of this base asked for; starts a run when one is due. */
  asked(base: OpenBase, lists: readonly number[], session: SessionOptions): void;
  /** Lets time pass where nobody asks, so that a run before a busy hour starts in time. */
  tick(defer: SessionOptions["defer"]): void;
}

export interface WarmerOptions {
  readonly site: string;
  readonly openCache: (colo: string) => Promise<CacheLike>;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

interface Colo {
  readonly name: string;
  heat: Heat;
  week: Week;
  state: WarmingState;
  base: OpenBase;
  savedMs: number;
}

export function createWarmer(options: WarmerOptions): Warmer {
  return new ColoWarmer(options);
}

/** The local network's isolate stands for many locations; in production all requests of an isolate come from one. */
class ColoWarmer implements Warmer {
  readonly #options: WarmerOptions;
  readonly #habits: HabitStore;
  readonly #colos = new Map<string, Colo>();

  constructor(options: WarmerOptions) {
    this.#options = options;
    this.#habits = createHabitStore(options);
  }

  asked(base: OpenBase, lists: readonly number[], session: SessionOptions): void {
    const { defer } = session;
    const atMs = this.#options.now();
    const colo = this.#coloOf(session, base);
    if (colo.base.key !== base.key) this.#renew(colo, base);
    for (const list of lists) colo.heat.add(keyOf(base, list), atMs);
    colo.week.add(atMs);
    this.#pass(colo, defer);
    if (atMs - colo.savedMs < SAVE_MS) return;
    colo.savedMs = atMs;
    defer(this.#habits.save(session, { base: base.key, heat: colo.heat, week: colo.week }));
  }

  tick(defer: SessionOptions["defer"]): void {
    for (const colo of this.#colos.values()) this.#pass(colo, defer);
  }

  /** A new location starts with what an isolate before this one wrote down. */
  #coloOf(session: SessionOptions, base: OpenBase): Colo {
    const { colo: name, defer } = session;
    const known = this.#colos.get(name);
    if (known !== undefined) return known;
    const colo: Colo = {
      name,
      heat: createHeat({ countersMax: HEAT_COUNTERS_MAX, halfLifeMs: HEAT_HALF_LIFE_MS }),
      week: createWeek(),
      state: initialWarming(1),
      base,
      savedMs: this.#options.now(),
    };
    this.#colos.set(name, colo);
    defer(
      this.#habits.load(session).then((habits) => {
        if (habits === null) return;
        colo.week = habits.week;
        if (habits.base !== colo.base.key) return;
        for (const { key, heat } of habits.warmths) colo.heat.add(key, this.#options.now(), heat);
        this.#step(colo, { kind: "published", generation: colo.state.generation + 1 }, defer);
      }),
    );
    return colo;
  }

  /** The heat of the lists before goes over to the lists that lie where they lay. */
  #renew(colo: Colo, base: OpenBase): void {
    const before = colo.base;
    colo.base = base;
    const ancestors =
      before.base.dimensions === base.base.dimensions
        ? nearestAncestors(base.base.lists.centroids(), before.base.lists.centroids(), base.base.dimensions)
        : new Uint32Array();
    colo.heat.rename(
      Array.from(ancestors, (_, list) => keyOf(base, list)),
      (key) => keyOf(before, ancestors[listOf(key)] ?? 0),
    );
    colo.state = next(colo.state, { kind: "published", generation: colo.state.generation + 1 });
  }

  #pass(colo: Colo, defer: SessionOptions["defer"]): void {
    const atMs = this.#options.now();
    const hour = Math.floor(atMs / HOUR_MS);
    this.#step(colo, { kind: "ticked", hour, isBeforeBusy: colo.week.isBeforeBusy(atMs) }, defer);
  }

  #step(colo: Colo, event: WarmingEvent, defer: SessionOptions["defer"]): void {
    colo.state = next(colo.state, event);
    if (colo.state.kind !== "due") return;
    colo.state = next(colo.state, { kind: "started" });
    defer(
      this.#run(colo, defer)
        .catch(this.#options.report)
        .then(() => this.#step(colo, { kind: "ended" }, defer)),
    );
  }

  async #run({ name, heat, base }: Colo, defer: SessionOptions["defer"]): Promise<void> {
    const { now } = this.#options;
    const pieces = planWarming(
      heat.hottest(now()),
      (key) => pieceOf(base, key)?.length ?? null,
      WARMING_BUDGET,
    )
      .map((key) => pieceOf(base, key))
      .filter((piece) => piece !== null);
    const endsAt = now() + RUN_MS_MAX;
    for (let from = 0; from < pieces.length && now() < endsAt; from += WAITING_CONNECTIONS_MAX) {
      // As many reads as a search's first round, within the limits of one search.
      const subrequests = createSubrequests();
      const session = base.session({ colo: name, endsAt, defer, subrequests });
      await session.read(pieces.slice(from, from + WAITING_CONNECTIONS_MAX));
      await subrequests.finish();
    }
  }
}

function keyOf({ key }: OpenBase, list: number): string {
  return `${key}/${list}`;
}

function listOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1));
}

/** Null for a list of another base. */
function pieceOf({ key: baseKey, base }: OpenBase, key: string): Piece | null {
  const list = listOf(key);
  return key.startsWith(`${baseKey}/`) && list < base.lists.count ? base.lists.piece(list) : null;
}
