/** What a policy of warming with a way of eviction would have saved on a log of queries. */
import type { BlockCache, Sized } from "../cold/block-cache.ts";
import { createHeat, HEAT_COUNTERS_MAX, HEAT_HALF_LIFE_MS, type Heat } from "./heat.ts";
import { planWarming, type WarmingBudget } from "./plan.ts";
import type { LogRecord } from "./query-log.ts";
import { initialWarming, next, type WarmingEvent, type WarmingState } from "./warming.ts";
import { createWeek, HOUR_MS, type Week } from "./week.ts";

export interface ReplayPolicy {
  createCache(options: { readonly bytesMax: number }): BlockCache<Sized>;
  /** Null never warms. */
  readonly warming: { readonly budget: WarmingBudget } | null;
}

export interface ReplayOptions {
  readonly cacheBytesMax: number;
  readonly bytesOfList: (list: number) => number;
  /** A colo that nobody asks for so long loses its isolate, with everything in memory; null for never. */
  readonly idleMsMax: number | null;
}

export interface ReplayResult {
  /** Lists that queries read. */
  readonly reads: number;
  readonly hits: number;
  /** Bytes that queries waited for. */
  readonly missedBytes: number;
  readonly warmedReads: number;
  readonly warmedBytes: number;
  /** Queries that found all their lists. */
  readonly queries: number;
  readonly wholeHits: number;
}

interface Colo {
  cache: BlockCache<Sized>;
  readonly heat: Heat;
  readonly week: Week;
  state: WarmingState;
  lastAskedMs: number;
}

/** Replays the log in its order, hour by hour, each colo for itself. */
export function replay(log: Iterable<LogRecord>, policy: ReplayPolicy, options: ReplayOptions): ReplayResult {
  const run = new Replay(policy, options);
  for (const record of log) run.take(record);
  return run.result();
}

class Replay {
  readonly #policy: ReplayPolicy;
  readonly #options: ReplayOptions;
  readonly #colos = new Map<string, Colo>();
  readonly #counts = {
    reads: 0,
    hits: 0,
    missedBytes: 0,
    warmedReads: 0,
    warmedBytes: 0,
    queries: 0,
    wholeHits: 0,
  };
  #generation = 1;
  #hour: number | null = null;

  constructor(policy: ReplayPolicy, options: ReplayOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  result(): ReplayResult {
    return { ...this.#counts };
  }

  take(record: LogRecord): void {
    const hour = Math.floor(record.at / HOUR_MS);
    for (let passed = (this.#hour ?? hour) + 1; passed <= hour; passed += 1) this.#tick(passed);
    this.#hour = hour;
    if ("generation" in record) this.#publish(record.generation, record.ancestors, record.at);
    else this.#ask(record.colo, record.lists, record.at);
  }

  #tick(hour: number): void {
    const atMs = hour * HOUR_MS;
    for (const colo of this.#colos.values()) {
      this.#forget(colo, atMs);
      this.#step(colo, { kind: "ticked", hour, isBeforeBusy: colo.week.isBeforeBusy(atMs) }, atMs);
    }
  }

  #publish(generation: number, ancestors: readonly number[], atMs: number): void {
    const before = this.#generation;
    this.#generation = generation;
    const keys = ancestors.map((_, list) => `${generation}/${list}`);
    for (const colo of this.#colos.values()) {
      colo.heat.rename(keys, (key) => `${before}/${ancestors[Number(key.slice(key.indexOf("/") + 1))]}`);
      this.#step(colo, { kind: "published", generation }, atMs);
    }
  }

  #ask(name: string, lists: readonly number[], atMs: number): void {
    const colo = this.#coloOf(name, atMs);
    this.#forget(colo, atMs);
    colo.lastAskedMs = atMs;
    colo.week.add(atMs);
    let missed = 0;
    for (const list of lists) {
      const key = `${this.#generation}/${list}`;
      colo.heat.add(key, atMs);
      if (colo.cache.get(key) !== undefined) continue;
      missed += 1;
      const byteLength = this.#options.bytesOfList(list);
      this.#counts.missedBytes += byteLength;
      colo.cache.set(key, { byteLength });
    }
    this.#counts.queries += 1;
    this.#counts.wholeHits += missed === 0 ? 1 : 0;
    this.#counts.reads += lists.length;
    this.#counts.hits += lists.length - missed;
  }

  #coloOf(name: string, atMs: number): Colo {
    const known = this.#colos.get(name);
    if (known !== undefined) return known;
    const colo: Colo = {
      cache: this.#policy.createCache({ bytesMax: this.#options.cacheBytesMax }),
      heat: createHeat({ countersMax: HEAT_COUNTERS_MAX, halfLifeMs: HEAT_HALF_LIFE_MS }),
      week: createWeek(),
      state: initialWarming(this.#generation),
      lastAskedMs: atMs,
    };
    this.#colos.set(name, colo);
    return colo;
  }

  /** An isolate that was warmed an hour ago is still there: warming counts as being asked. */
  #forget(colo: Colo, atMs: number): void {
    const { idleMsMax, cacheBytesMax } = this.#options;
    if (idleMsMax === null || atMs - colo.lastAskedMs <= idleMsMax) return;
    colo.cache = this.#policy.createCache({ bytesMax: cacheBytesMax });
  }

  #step(colo: Colo, event: WarmingEvent, atMs: number): void {
    const { warming } = this.#policy;
    if (warming === null) return;
    colo.state = next(colo.state, event);
    if (colo.state.kind !== "due") return;
    colo.state = next(colo.state, { kind: "started" });
    const listOf = (key: string): number => Number(key.slice(key.indexOf("/") + 1));
    const planned = planWarming(
      colo.heat.hottest(atMs),
      (key) => (key.startsWith(`${this.#generation}/`) ? this.#options.bytesOfList(listOf(key)) : null),
      warming.budget,
    );
    // The hottest are set last, so that a queue has them at its young end.
    for (const key of planned.toReversed()) {
      if (colo.cache.get(key) !== undefined) continue;
      const byteLength = this.#options.bytesOfList(listOf(key));
      colo.cache.set(key, { byteLength });
      this.#counts.warmedReads += 1;
      this.#counts.warmedBytes += byteLength;
    }
    colo.lastAskedMs = atMs;
    colo.state = next(colo.state, { kind: "ended" });
  }
}
