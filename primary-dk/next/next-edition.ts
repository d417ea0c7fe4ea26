/** The primary's own copies with vectors of the model to come. */
import type { Model } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type postgres from "postgres";
import { LiveBase } from "../cold/live-base.ts";
import type { BaseUpkeep } from "../cold/rebase.ts";
import { coldClasses, isInBase, isStanding } from "../cold/standing.ts";
import type { BaseStore } from "../cold/store.ts";
import type { CommittedEffect } from "../documents/operation.ts";
import { passagesOf, type LoadedPassage } from "../documents/passage-rows.ts";
import type { Placements } from "../documents/placements.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow } from "../documents/state.ts";
import type { CommittedGroup } from "../documents/transaction.ts";
import type { DocumentSeals } from "../sealing/document-seals.ts";
import type { Pacer } from "../pacer.ts";
import { HotIndex } from "../search/hot-index.ts";
import type { Follower } from "../search/live-memory.ts";
import { isHeld } from "../search/rebuild.ts";
import type { NextVectors } from "./next-vectors.ts";

/** Documents read from Postgres in one round. */
const FILL_DOCUMENTS_MAX = 64;

export interface NextEditionOptions {
  readonly model: Model;
  readonly network: Network;
  readonly site: string;
  readonly placements: Placements;
  readonly scanner: Scanner;
  readonly sql: postgres.Sql;
  readonly seals: DocumentSeals;
  readonly pacer: Pacer;
  readonly vectors: NextVectors;
  /** Null when cold passages stay in memory. */
  readonly store: BaseStore | null;
  /** A tail of fewer passages stays in memory. */
  readonly basePassagesMin: number;
  readonly progress: (fields: object, message: string) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Holds the same documents as the index that serves, level with the same log.
 *
 * It is filled from Postgres document by document while the log goes on: a document that the log brings itself is no longer
 * awaited. So no write waits for the filling, and nothing is read twice.
 */
export class NextEdition implements Follower {
  readonly model: Model;
  readonly vectors: NextVectors;
  readonly #options: NextEditionOptions;
  #index: HotIndex | null = null;
  /** Documents that are still to be read, each with the turn in which it was last awaited. */
  #awaited = new Map<string, number>();
  #turn = 0;
  #isListed = false;
  #alone: Promise<unknown> = Promise.resolve();

  constructor(options: NextEditionOptions) {
    this.model = options.model;
    this.vectors = options.vectors;
    this.#options = options;
  }

  /** The index; null while some document that this site holds is missing in it. */
  get ready(): HotIndex | null {
    return this.missing === null ? this.#index : null;
  }

  /** Why a search may not ask for it; null when it may. */
  get missing(): string | null {
    if (this.vectors.wholeAt === null) return "passages are still being embedded";
    if (this.#index === null || !this.#isListed) return "its index is being made";
    return this.#awaited.size === 0 ? null : `${this.#awaited.size} documents are still to be indexed`;
  }

  /** The index, filled or not. */
  get index(): HotIndex | null {
    return this.#index;
  }

  /** Resolves when the work is done, during which no group is applied and no other such work runs. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#alone.then(work, work);
    this.#alone = done.catch(() => {});
    return done;
  }

  /** Never rejects: what fails here is made anew, and no write fails for it. */
  async apply(group: CommittedGroup): Promise<void> {
    try {
      await this.alone(async () => {
        for (const effect of group.effects) await this.#apply(effect);
      });
    } catch (error) {
      this.#options.failed(error);
      await this.restart();
    }
    this.vectors.follow(group);
  }

  /** Begins anew, since the log was not followed. */
  async restart(): Promise<void> {
    this.vectors.restart();
    await this.alone(async () => {
      this.#index?.base?.leave();
      this.#index = null;
      this.#awaited = new Map();
      this.#isListed = false;
    });
  }

  /** Does the next part of the work: embeds, then makes a base where one is due, then indexes. */
  async round(baseUpkeep: BaseUpkeep | null): Promise<void> {
    await this.vectors.round();
    if (this.vectors.wholeAt === null) return;
    if (this.#index === null) await this.#begin(baseUpkeep);
    if (this.vectors.isLevel && this.#awaited.size > 0) await this.#fill();
  }

  async #begin(baseUpkeep: BaseUpkeep | null): Promise<void> {
    const { sql, seals, store, basePassagesMin, model, placements, scanner, site } = this.#options;
    const isStale = store?.current === null && (await this.#standing()) >= basePassagesMin;
    if (isStale) await baseUpkeep?.makeFirst();
    const open = store?.current ?? null;
    // Memory has no room for what belongs on the disk: it is tried again.
    if (isStale && open === null) return;
    const index = new HotIndex({
      dimensions: model.dimensions,
      placements,
      site,
      scanner,
      base: open === null ? null : new LiveBase(open),
      load: async (id) => (await passagesOf(sql, [id], { seals, column: "dense_next" })).get(id) ?? [],
    });
    // From here on the log is followed; whatever it brought before stands in the list.
    this.#index = index;
    const rows = await sql`select d.id from documents d where ${isHeld(sql, this.#options)}`;
    if (this.#index !== index) return;
    for (const row of rows) this.#await(row["id"]);
    this.#isListed = true;
  }

  /** Cold passages that stand still and that no edge may hold. */
  async #standing(): Promise<number> {
    const { sql, network } = this.#options;
    const [row] = await sql`
      select coalesce(sum(d.passage_count), 0)::int as passages from documents d
      where ${isStanding(sql, coldClasses(network, this.#options))}`;
    return row?.["passages"] ?? 0;
  }

  #await(id: string): void {
    this.#turn += 1;
    this.#awaited.set(id, this.#turn);
  }

  async #apply(effect: CommittedEffect): Promise<void> {
    const index = this.#index;
    const id = effect.after?.id ?? effect.before?.id;
    if (index === null || id === undefined) return;
    this.#awaited.delete(id);
    const { after, content } = effect;
    const isHere = after !== null && index.holds(after);
    const passages = content === null ? null : nextPassages(content.passages);
    const isKnown = content === null ? index.has(id) : passages !== null;
    if (isHere && !isKnown) {
      index.remove(id);
      this.#await(id);
      return;
    }
    const loaded = new Map(passages === null ? [] : [[id, passages]]);
    await index.apply({ ...effect, content: null }, { loaded, pacer: this.#options.pacer });
  }

  async #fill(): Promise<void> {
    const { sql, seals, progress, model } = this.#options;
    const asked = [...this.#awaited].slice(0, FILL_DOCUMENTS_MAX);
    const ids = asked.map(([id]) => id);
    const [rows, passages] = await sql.begin("isolation level repeatable read read only", async (tx) => [
      await tx`select ${tx(SEALED_STATE)}, d.epoch from ${sealedDocuments(tx)} where d.id = any(${ids})`,
      await passagesOf(tx, ids, { seals, column: "dense_next" }),
    ]);
    const found = new Map(rows.map((row) => [String(row["id"]), row]));
    await this.alone(async () => {
      for (const [id, turn] of asked)
        if (this.#awaited.get(id) === turn) await this.#take(id, found.get(id), passages.get(id) ?? []);
    });
    if (this.#awaited.size === 0)
      progress({ model: model.model }, "this site is ready for the model to come");
  }

  /** A document that is gone, or elsewhere, needs nothing: the log says so, or is about to. */
  async #take(id: string, row: postgres.Row | undefined, passages: readonly LoadedPassage[]): Promise<void> {
    const index = this.#index;
    if (index === null) return;
    const state = row === undefined ? null : stateOfRow(row, this.#options.seals);
    if (row === undefined || state === null || !index.holds(state)) {
      this.#awaited.delete(id);
      return;
    }
    const { base } = index;
    if (base !== null && isInBase(base.open.table, row)) base.show(id);
    else if (passages.length < state.passage_count) return;
    else await index.put(state, passages, this.#options.pacer);
    this.#awaited.delete(id);
  }
}

/** Null when a passage has no vector of the model to come. */
function nextPassages(
  passages: NonNullable<CommittedEffect["content"]>["passages"],
): readonly LoadedPassage[] | null {
  const next = passages.flatMap(({ denseNext, ...passage }) =>
    denseNext === null ? [] : [{ ...passage, dense: denseNext }],
  );
  return next.length === passages.length ? next : null;
}
