/** Counts the planned copies from Postgres over and over, so that memory is right from the start and stays so. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { leavesOf, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import type postgres from "postgres";
import type { AppliedLog } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import type { OwnCopies } from "./own-copies.ts";
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
  /** Hears of each range that is level with memory. */
  readonly own: Pick<OwnCopies, "compare" | "recordsOver">;
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
    const doubted = [...planned.doubted].slice(0, ROUND_LEAVES);
    if (doubted.length > 0) return await this.#count(doubted.map((leaf) => ({ from: leaf, to: leaf + 1 })));
    const from = this.#next;
    const to = Math.min(LEAVES, from + (planned.isWhole ? ROUND_LEAVES : FIRST_ROUND_LEAVES));
    const taken = await this.#count([{ from, to }]);
    this.#next = to === LEAVES ? 0 : to;
    if (to === LEAVES) this.#options.own.recordsOver();
    return taken;
  }

  async #count(ranges: readonly LeafRange[]): Promise<number> {
    const { planned, own, applied, sql, pacer } = this.#options;
    const read = await readLevel(sql, applied, (tx) => plannedIn(tx, ranges));
    if (read === null) return 0;
    const { sequence, documents } = read;
    const leaves = new Map<number, ReadDocument[]>();
    for (const { from, to } of ranges) for (let leaf = from; leaf < to; leaf += 1) leaves.set(leaf, []);
    for (const document of documents) leaves.get(rangeOf(keyOf(document.id), 16))?.push(document);
    let taken = 0;
    for (const [leaf, its] of leaves) {
      if (planned.count({ leaf, documents: its }, sequence)) {
        own.compare(its, sequence);
        taken += 1;
      }
      await pacer.breathe();
    }
    return taken;
  }
}
