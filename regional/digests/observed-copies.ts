/** What a scrub has seen of each copy, with the digests of their ranges. */
import { sumOf } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { setWide, wideAt } from "@kattegat/engine/digests/wide-column.ts";
import type { Depth, DigestLine } from "@kattegat/protocol/digests.ts";

/** A point with what it adds to the digest of its copy. */
export interface ObservedPoint {
  readonly key: bigint;
  /** The point's id as a number. */
  readonly point: bigint;
  readonly digest: bigint;
}

const COLUMNS_MIN = 1_024;

/** Two numbers a slot make 128 bits; two passes, a number each. */
interface Columns {
  readonly digests: BigUint64Array;
  readonly gathered: BigUint64Array;
  readonly points: BigUint64Array;
  /** The pass in which points were gathered, the pass in which the applier said what the copy is. */
  readonly seenIn: Uint32Array;
  readonly toldIn: Uint32Array;
}

/**
 * About 130 bytes a document: a key with its slot, and 56 bytes in the slot.
 *
 * A pass gathers what the points of each copy add up to, in the order in which the store has them; at its end these sums become
 * the copies' digests. What the applier has stored since the pass began is newer than what the pass may have read of it, so there
 * the applier's word stands until the next one.
 */
export class ObservedCopies {
  readonly tree = new DigestTree();
  readonly #slots = new Map<bigint, number>();
  readonly #free: number[] = [];
  #columns = columnsOf(COLUMNS_MIN);
  #used = 0;
  /** Withdrawn since the pass began: their points may still be on a page that was read before. */
  readonly #gone = new Set<bigint>();
  #pass = 1;
  #passes = 0;

  /** Passes that were ended; before the first one it is not known what the store has. */
  get passes(): number {
    return this.#passes;
  }

  get documents(): number {
    return this.#slots.size;
  }

  gather({ key, point, digest }: ObservedPoint): void {
    if (this.#gone.has(key)) return;
    const slot = this.#slots.get(key) ?? this.#open(key, { digest: 0n, point });
    const { gathered, points, seenIn } = this.#columns;
    const before = seenIn[slot] === this.#pass ? wideAt(gathered, slot) : 0n;
    setWide(gathered, slot, sumOf(before, digest));
    setWide(points, slot, point);
    seenIn[slot] = this.#pass;
  }

  /** The copy is so since now; null when there is none. */
  tell(key: bigint, digest: bigint | null, point: bigint): void {
    if (digest === null) {
      this.#drop(key);
      this.#gone.add(key);
      return;
    }
    this.#gone.delete(key);
    const slot = this.#slots.get(key) ?? this.#open(key, { digest, point });
    this.#set(key, slot, digest);
    setWide(this.#columns.points, slot, point);
    this.#columns.toldIn[slot] = this.#pass;
  }

  endPass(): void {
    const { seenIn, toldIn, gathered } = this.#columns;
    for (const [key, slot] of this.#slots) {
      if (toldIn[slot] === this.#pass) continue;
      if (seenIn[slot] === this.#pass) this.#set(key, slot, wideAt(gathered, slot));
      else this.#drop(key);
    }
    this.#gone.clear();
    this.#pass += 1;
    this.#passes += 1;
  }

  /** A pass that failed half-way begins anew; nothing that it has gathered counts. */
  restartPass(): void {
    this.#columns.seenIn.fill(0);
  }

  linesIn(depth: Depth, indexes: readonly number[]): DigestLine[] {
    const wanted = new Set(indexes);
    const lines: DigestLine[] = [];
    for (const [key, slot] of this.#slots) {
      if (!wanted.has(rangeOf(key, depth))) continue;
      const digest = wideAt(this.#columns.digests, slot);
      // Seen for the first time in the pass that is going on: not known before its end.
      if (digest !== 0n) lines.push({ key, digest });
    }
    return lines;
  }

  /** The id of one of the copy's points; null for an unknown copy. */
  pointOf(key: bigint): bigint | null {
    const slot = this.#slots.get(key);
    return slot === undefined ? null : wideAt(this.#columns.points, slot);
  }

  #open(key: bigint, { digest, point }: { readonly digest: bigint; readonly point: bigint }): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#columns.seenIn.length) this.#columns = grown(this.#columns);
    this.#slots.set(key, slot);
    setWide(this.#columns.digests, slot, 0n);
    setWide(this.#columns.points, slot, point);
    this.#columns.seenIn[slot] = 0;
    this.#columns.toldIn[slot] = 0;
    if (digest !== 0n) this.#set(key, slot, digest);
    return slot;
  }

  #set(key: bigint, slot: number, digest: bigint): void {
    const { digests } = this.#columns;
    const before = wideAt(digests, slot);
    if (before === 0n) this.tree.add(key, digest);
    else this.tree.replace(key, before, digest);
    setWide(digests, slot, digest);
  }

  #drop(key: bigint): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    const before = wideAt(this.#columns.digests, slot);
    if (before !== 0n) this.tree.remove(key, before);
    this.#slots.delete(key);
    this.#free.push(slot);
  }
}

function columnsOf(slots: number): Columns {
  return {
    digests: new BigUint64Array(slots * 2),
    gathered: new BigUint64Array(slots * 2),
    points: new BigUint64Array(slots * 2),
    seenIn: new Uint32Array(slots),
    toldIn: new Uint32Array(slots),
  };
}

function grown(before: Columns): Columns {
  const after = columnsOf(before.seenIn.length * 2);
  after.digests.set(before.digests);
  after.gathered.set(before.gathered);
  after.points.set(before.points);
  after.seenIn.set(before.seenIn);
  after.toldIn.set(before.toldIn);
  return after;
}
