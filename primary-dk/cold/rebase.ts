/** Keeps the base on the disk near to what the site holds. */
import { isRebaseDue } from "@kattegat/engine/cold/manifest-base.ts";
import type postgres from "postgres";
import { passagesOf } from "../documents/passage-rows.ts";
import { STATE_COLUMNS } from "../documents/state.ts";
import { stateOfRow } from "../documents/transaction.ts";
import type { Pacer } from "../pacer.ts";
import type { HotIndex } from "../search/hot-index.ts";
import type { LiveMemory } from "../search/live-memory.ts";
import type { BaseOrder } from "./base-order.ts";
import { LiveBase } from "./live-base.ts";
import { makeBase } from "./make-base.ts";
import type { OpenBase } from "./open-base.ts";
import type { BaseStore } from "./store.ts";

/** A base with dead documents is made anew when it is this old: what was deleted leaves the disk an hour later at most, plus the making. */
const DEAD_BASE_MS_MAX = 3_600_000;
/** A base that could not be made is not tried again before; a full disk does not go away in a second. */
const RETRY_MS = 60_000;
/** The log is applied within milliseconds; a writer that is stuck for so long ends this attempt. */
const APPLY_MS_MAX = 60_000;
/** Documents of a damaged base read from Postgres in one go. */
const SPILL_DOCUMENTS = 64;

export interface BaseUpkeepOptions {
  readonly store: BaseStore;
  readonly live: LiveMemory;
  readonly sql: postgres.Sql;
  readonly order: Pick<BaseOrder, "databaseUrl" | "folder" | "model" | "dimensions">;
  /** Residency classes whose cold documents this site holds. */
  readonly classes: () => readonly string[];
  /** A tail of fewer passages stays in memory. */
  readonly basePassagesMin: number;
  readonly pacer: Pacer;
  readonly now: () => number;
  readonly newId: () => string;
  readonly log: (fields: object, message: string) => void;
}

export class BaseUpkeep {
  readonly #options: BaseUpkeepOptions;
  readonly #stopping = new AbortController();
  #failedAtMs = -Infinity;

  constructor(options: BaseUpkeepOptions) {
    this.#options = options;
  }

  /** Resolves when what was due is done, which takes minutes for a base. */
  async round(): Promise<void> {
    const { store, live, now } = this.#options;
    if (live.memory.index.base?.open.isDamaged === true) await this.#spill();
    if (!this.#isDue(live.memory.index) || now() - this.#failedAtMs < RETRY_MS) return;
    this.#failedAtMs = now();
    try {
      await this.#rebase();
    } catch (error) {
      await store.sweep();
      if (this.#stopping.signal.aborted) return;
      throw error;
    }
    this.#failedAtMs = -Infinity;
  }

  /** Ends a base in the making and deletes what of it is on the disk. */
  stop(): void {
    this.#stopping.abort(new Error("the primary is stopping"));
  }

  #isDue({ base, tailPassages }: HotIndex): boolean {
    const { basePassagesMin: passagesMin, now } = this.#options;
    const tail = { segments: [{ passages: tailPassages }] };
    if (base === null) return isRebaseDue({ base, ...tail }, { passagesMin });
    const { dead, open } = base;
    const { rows: passages, documents } = open.table;
    const isStale = dead > 0 && now() - Date.parse(open.record.made_at) >= DEAD_BASE_MS_MAX;
    return isStale || isRebaseDue({ base: { passages, documents, dead }, ...tail }, { passagesMin });
  }

  async #rebase(): Promise<void> {
    const { store, live, order, classes, pacer, now, newId, log } = this.#options;
    const { signal } = this.#stopping;
    const startedMs = now();
    const made = await makeBase({ ...order, key: newId(), classes: [...classes()] }, signal);
    if (made === null) {
      await live.alone(() => this.#giveUp());
      return;
    }
    if (!(await live.applied.waitFor(made.sequence, { timeoutMs: APPLY_MS_MAX, signal })))
      throw new Error(`expected the log to be applied up to ${made.sequence}`);
    const opened = await store.openMade({ ...made, made_at: new Date(now()).toISOString() });
    await live.alone(async () => {
      const previous = await store.replace(opened);
      await live.memory.index.adopt(new LiveBase(opened), pacer);
      await this.#discard(previous);
    });
    const { index } = live.memory;
    log(
      { passages: opened.table.rows, tail: index.tailPassages, ms: now() - startedMs },
      "cold passages moved to the disk",
    );
  }

  /** Nothing belongs into a base any more. */
  async #giveUp(): Promise<void> {
    const { index } = this.#options.live.memory;
    // A document that came since shows in the next round.
    if (index.base === null || index.base.documents > 0) return;
    const previous = await this.#options.store.replace(null);
    index.dropBase();
    await this.#discard(previous);
  }

  /** Reads what a damaged base shows from Postgres into memory, then gives the base up. */
  async #spill(): Promise<void> {
    const { store, live, sql, log } = this.#options;
    await live.alone(async () => {
      const { index } = live.memory;
      const { base } = index;
      if (base === null) return;
      log(
        { documents: base.documents },
        "the base on the disk is damaged; reading its documents from Postgres",
      );
      const previous = await store.replace(null);
      const ids = [...base.ids()];
      for (let from = 0; from < ids.length; from += SPILL_DOCUMENTS)
        await takeOver(sql, index, ids.slice(from, from + SPILL_DOCUMENTS));
      // What Postgres no longer has is on its way through the writer.
      for (const id of base.ids()) index.remove(id);
      index.dropBase();
      await this.#discard(previous ?? base.open);
    });
  }

  async #discard(previous: OpenBase | null): Promise<void> {
    await previous?.retire();
    await this.#options.store.sweep();
  }
}

async function takeOver(sql: postgres.Sql, index: HotIndex, ids: readonly string[]): Promise<void> {
  const rows = await sql`select ${sql(STATE_COLUMNS)} from documents where id = any(${[...ids]})`;
  const passages = await passagesOf(sql, ids);
  for (const row of rows) index.takeOver(stateOfRow(row), passages.get(row["id"]) ?? []);
}
