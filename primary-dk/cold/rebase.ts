/** Keeps the base on the disk near to what the site holds. */
import { isRebaseDue } from "@kattegat/engine/cold/manifest-base.ts";
import { deadBaseMs, type RemovalLimits } from "@kattegat/engine/cold/removal.ts";
import type postgres from "postgres";
import { passagesOf, type VectorColumn } from "../documents/passage-rows.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow } from "../documents/state.ts";
import type { DocumentSeals } from "../sealing/document-seals.ts";
import type { AppliedLog } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import type { HotIndex } from "../search/hot-index.ts";
import type { BaseOrder } from "./base-order.ts";
import { LiveBase } from "./live-base.ts";
import { makeBase } from "./make-base.ts";
import type { OpenBase } from "./open-base.ts";
import type { BaseStore } from "./store.ts";

/** A base that could not be made is not tried again before; a full disk does not go away in a second. */
const RETRY_MS = 60_000;
/** The log is applied within milliseconds; a writer that is stuck for so long ends this attempt. */
const APPLY_MS_MAX = 60_000;
/** Documents of a damaged base read from Postgres in one go. */
const SPILL_DOCUMENTS = 64;

export interface BaseUpkeepOptions {
  readonly store: BaseStore;
  /** The index that the base belongs to; null while there is none. */
  readonly index: () => HotIndex | null;
  readonly applied: AppliedLog;
  /** Runs work while the index stays the same one. */
  readonly alone: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly sql: postgres.Sql;
  readonly seals: DocumentSeals;
  readonly order: Pick<BaseOrder, "databaseUrl" | "keyring" | "folder" | "model" | "dimensions" | "vectors">;
  /** Residency classes whose cold documents this site holds. */
  readonly classes: () => readonly string[];
  /** A tail of fewer passages stays in memory. */
  readonly basePassagesMin: number;
  readonly limits: RemovalLimits;
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
    const index = this.#options.index();
    if (index === null) return;
    if (index.base?.open.isDamaged === true) await this.#spill();
    if (this.#isDue(index)) await this.#attempt(() => this.#rebase());
  }

  /** Resolves when the folder has a base, made before there is an index to put in order, or when none can be made now. */
  async makeFirst(): Promise<void> {
    await this.#attempt(async () => {
      await this.#discard(await this.#options.store.replace(await this.#made()));
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    const { store, now } = this.#options;
    if (now() - this.#failedAtMs < RETRY_MS) return;
    this.#failedAtMs = now();
    try {
      await work();
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
    const { basePassagesMin: passagesMin, limits, now } = this.#options;
    const tail = { segments: [{ passages: tailPassages }] };
    if (base === null) return isRebaseDue({ base, ...tail }, { passagesMin });
    const { dead, open } = base;
    const { rows: passages, documents } = open.table;
    // Since it was made, not since its first is dead: after quiet hours a deletion leaves the disk at once.
    const isStale = dead > 0 && now() - Date.parse(open.record.made_at) >= deadBaseMs(passages, limits);
    return isStale || isRebaseDue({ base: { passages, documents, dead }, ...tail }, { passagesMin });
  }

  /** Resolves with a base that nobody uses yet; null when no passage belongs into one. */
  async #made(): Promise<OpenBase | null> {
    const { store, applied, order, classes, now, newId } = this.#options;
    const { signal } = this.#stopping;
    store.expectFiles();
    const made = await makeBase({ ...order, key: newId(), classes: [...classes()] }, signal);
    if (made === null) return null;
    if (!(await applied.waitFor(made.sequence, { timeoutMs: APPLY_MS_MAX, signal })))
      throw new Error(`expected the log to be applied up to ${made.sequence}`);
    return await store.openMade({ ...made, made_at: new Date(now()).toISOString() });
  }

  async #rebase(): Promise<void> {
    const { store, alone, pacer, now, log } = this.#options;
    const startedMs = now();
    const opened = await this.#made();
    if (opened === null) {
      await alone(() => this.#giveUp());
      await store.sweep();
      return;
    }
    await alone(async () => {
      const previous = await store.replace(opened);
      await this.#options.index()?.adopt(new LiveBase(opened), pacer);
      await this.#discard(previous);
    });
    log(
      {
        passages: opened.table.rows,
        tail: this.#options.index()?.tailPassages ?? 0,
        ms: now() - startedMs,
      },
      "cold passages moved to the disk",
    );
  }

  /** Nothing belongs into a base any more. */
  async #giveUp(): Promise<void> {
    const index = this.#options.index();
    // A document that came since shows in the next round.
    if (index === null || index.base === null || index.base.documents > 0) return;
    const previous = await this.#options.store.replace(null);
    index.dropBase();
    await this.#discard(previous);
  }

  /** Reads what a damaged base shows from Postgres into memory, then gives the base up. */
  async #spill(): Promise<void> {
    const { store, alone, sql, seals, order, log } = this.#options;
    await alone(async () => {
      const index = this.#options.index();
      const base = index?.base ?? null;
      if (index === null || base === null) return;
      log(
        { documents: base.documents },
        "the base on the disk is damaged; reading its documents from Postgres",
      );
      const previous = await store.replace(null);
      const ids = [...base.ids()];
      for (let from = 0; from < ids.length; from += SPILL_DOCUMENTS)
        await takeOver(sql, index, {
          ids: ids.slice(from, from + SPILL_DOCUMENTS),
          column: order.vectors,
          seals,
        });
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

async function takeOver(
  sql: postgres.Sql,
  index: HotIndex,
  {
    ids,
    column,
    seals,
  }: { readonly ids: readonly string[]; readonly column: VectorColumn; readonly seals: DocumentSeals },
): Promise<void> {
  const rows = await sql`
    select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)} where d.id = any(${[...ids]})`;
  const passages = await passagesOf(sql, ids, { seals, column });
  for (const row of rows) index.takeOver(stateOfRow(row, seals), passages.get(row["id"]) ?? []);
}
