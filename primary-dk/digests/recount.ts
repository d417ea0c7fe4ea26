/** Counts the planned copies from Postgres over and over, so that memory is right from the start and stays so. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { leavesOf, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import type postgres from "postgres";
import type { AppliedLog } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import type { OwnCopies, OwnIndex } from "./own-copies.ts";
import type { PlannedDigests } from "./planned-digests.ts";
import { plannedIn, readLevel, type LeafRange, type ReadDocument } from "./read-planned.ts";

/** Of a million documents a thousand rows, so that all are counted in nine minutes of half-second rounds. */
const ROUND_LEAVES = 64;
/** Before all are counted nothing can be compared; 31,000 rows of a million. */
const FIRST_ROUND_LEAVES = 2_048;

const LEAVES = leavesOf(0, 0).to;

export interface RecountOptions {
  readonly sql: postgres.Sql;
  readonly planned: PlannedDigests;
  readonly index: () => OwnIndex;
  /** Hears of each leaf that was read. */
  readonly own: Pick<OwnCopies, "compare">;
  readonly applied: Pick<AppliedLog, "waitFor">;
  readonly pacer: Pick<Pacer, "breathe">;
}

export class Recount {
  readonly #options: RecountOptions;
  #next = 0;

  constructor(options: RecountOptions) {
    this.#options = options;
  }

  /** Resolves with how many leaves were counted; those that are written to meanwhile have their turn later. */
  async round(): Promise<number> {
    const { planned } = this.#options;
    const from = this.#next;
    const to = Math.min(LEAVES, from + (planned.isWhole ? ROUND_LEAVES : FIRST_ROUND_LEAVES));
    // Both at once: repairs, which leave doubt, may not hold up the count.
    const doubted = [...planned.doubted].filter((leaf) => leaf < from || leaf >= to).slice(0, ROUND_LEAVES);
    const taken = await this.#count([...doubted.map((leaf) => ({ from: leaf, to: leaf + 1 })), { from, to }]);
    // What could not be read is read again.
    if (taken !== null) this.#next = to === LEAVES ? 0 : to;
    return taken ?? 0;
  }

  /** Resolves with how many were set; null when Postgres was too far ahead of memory. */
  async #count(ranges: readonly LeafRange[]): Promise<number | null> {
    const { planned, own, applied, sql, pacer } = this.#options;
    // Before Postgres is read: what memory was made anew from afterwards is later.
    const { restarts } = planned;
    const index = this.#options.index();
    const read = await readLevel(sql, applied, (tx) => plannedIn(tx, ranges));
    if (read === null) return null;
    const { sequence, documents } = read;
    const leaves = new Map<number, ReadDocument[]>();
    for (const { from, to } of ranges) for (let leaf = from; leaf < to; leaf += 1) leaves.set(leaf, []);
    for (const document of documents) leaves.get(rangeOf(keyOf(document.id), 16))?.push(document);
    let taken = 0;
    for (const [leaf, its] of leaves) {
      const counted = { leaf, documents: its };
      if (planned.count(counted, { sequence, restarts })) taken += 1;
      own.compare(counted, { index, sequence });
      await pacer.breathe();
    }
    return taken;
  }
}
