/** How far what was withdrawn has left the disks of a site's Qdrant, as Qdrant says itself. */
import type { RemovalLimits } from "@kattegat/engine/cold/removal.ts";
import { compareFences, type Fence } from "@kattegat/protocol/sequence.ts";
import type { Watermark } from "../apply/watermark.ts";
import type { NodePool } from "./node-pool.ts";
import type { Schema } from "./schema.ts";
import { segmentsOf, type Segment } from "./segments.ts";
import { VACUUM_AT_LEISURE, VACUUM_NOW, Vacuum, type VacuumOptions } from "./vacuum.ts";

/** Deletions of this time share one rewriting of the segments that they are in. */
const GATHER_MS = 60_000;
/** A large segment is written anew in so long. One that Qdrant takes to be too small never is, and others are not to suffer for it: */
const HURRY_MS = 10 * 60_000;
/** … they are hurried again after this. */
const HURRY_EVERY_MS = 60 * 60_000;
/** Telemetry of a large collection takes some milliseconds of every node. */
const ROUND_MS_MIN = 1_000;

/** Waiting for segments that hold what was withdrawn up to a place of the log. */
export interface Waiting {
  readonly upTo: Fence;
  readonly segments: ReadonlySet<string>;
  readonly sinceMs: number;
  /** Whether these are what the first ones were made into. */
  readonly isSecond: boolean;
}

/**
 * Returns what is waited for next; `removed` when nothing is left of what was withdrawn up to there.
 *
 * A segment with deleted points is waited for until another one has replaced it. Qdrant may have begun to write that one before the
 * deletion, and then carries it over as a mark: so what the first ones became is waited for as well, if it has marks.
 */
export function nextWaiting(
  waiting: Waiting | null,
  seen: { readonly segments: readonly Segment[]; readonly watermark: Fence; readonly nowMs: number },
): { readonly waiting: Waiting | null; readonly removed: Fence | null } {
  const dirty = new Set(seen.segments.filter(({ deleted }) => deleted > 0).map(({ uuid }) => uuid));
  if (dirty.size === 0) return { waiting: null, removed: seen.watermark };
  const fresh = { upTo: seen.watermark, segments: dirty, sinceMs: seen.nowMs, isSecond: false };
  if (waiting === null) return { waiting: fresh, removed: null };
  if ([...waiting.segments].some((uuid) => dirty.has(uuid))) return { waiting, removed: null };
  if (waiting.isSecond) return { waiting: fresh, removed: waiting.upTo };
  return { waiting: { ...waiting, segments: dirty, isSecond: true }, removed: null };
}

/** Whether deleted points are to leave at once, whatever rewriting costs. */
export function isHurried(
  waiting: Waiting | null,
  { nowMs, limits }: { readonly nowMs: number; readonly limits: RemovalLimits },
): boolean {
  if (waiting === null) return false;
  const overdueMs = nowMs - waiting.sinceMs - Math.min(GATHER_MS, limits.dead_seconds_max * 1_000);
  return overdueMs >= 0 && overdueMs % HURRY_EVERY_MS < HURRY_MS;
}

export interface RemovalOptions extends VacuumOptions {
  readonly schema: Pick<Schema, "ensure">;
  readonly pool: NodePool;
  readonly watermark: Pick<Watermark, "read">;
  readonly limits: RemovalLimits;
  readonly now: () => number;
}

/** Keeps nothing: after a restart it asks Qdrant again. */
export class Removal {
  readonly #options: RemovalOptions;
  readonly #vacuum: Vacuum;
  #removed: Fence | null = null;
  #waiting: Waiting | null = null;
  #asked: Promise<void> | null = null;
  #askedAtMs = -Infinity;

  constructor(options: RemovalOptions) {
    this.#options = options;
    this.#vacuum = new Vacuum(options);
  }

  /** What is known; whoever asks makes Qdrant be asked again, for the next one. Null before it has said anything. */
  latest(): Fence | null {
    const { now } = this.#options;
    if (this.#asked === null && now() - this.#askedAtMs >= ROUND_MS_MIN) {
      this.#askedAtMs = now();
      this.#asked = this.round()
        // Asked again soon, and what is not known is not told.
        .catch(() => {})
        .finally(() => (this.#asked = null));
    }
    return this.#removed;
  }

  /** Resolves when Qdrant has been asked once, and told to hurry or not to. */
  async round(): Promise<void> {
    const { schema, pool, watermark, limits, now } = this.#options;
    const { passages } = await schema.ensure();
    // Before the segments are looked at: what is withdrawn meanwhile is not in this place of the log.
    const { watermark: at } = await watermark.read();
    // A store that was lost, or went back, has other copies than those of which this was said.
    if (this.#removed !== null && compareFences(this.#removed, at) > 0) this.#removed = null;
    const segments = await segmentsOf(pool, passages);
    if (segments !== null) {
      const next = nextWaiting(this.#waiting, { segments, watermark: at, nowMs: now() });
      this.#waiting = next.waiting;
      this.#removed = next.removed ?? this.#removed;
    }
    // Also while the segments are not known: a haste that is over has to end.
    const hurried = isHurried(this.#waiting, { nowMs: now(), limits });
    await this.#vacuum.want(hurried ? VACUUM_NOW : VACUUM_AT_LEISURE, passages);
  }
}
