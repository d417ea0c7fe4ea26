/** Compares what this site's own index shows with Postgres, over and over. */
import type { Network } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { leavesOf } from "@kattegat/engine/digests/digest-tree.ts";
import { judge, type ExpectedCopy, type Fault } from "@kattegat/engine/digests/judge.ts";
import type { RepairBudget } from "@kattegat/engine/digests/repair-budget.ts";
import { NOT_COMPARED, type Comparison, type RepairsResponse } from "@kattegat/protocol/digests.ts";
import type postgres from "postgres";
import type { AppliedLog } from "../log/head.ts";
import type { HeldCopy, HotIndex } from "../search/hot-index.ts";
import type { PlannedDigests } from "./planned-digests.ts";
import { plannedByIds, readLevel, type ReadDocument } from "./read-planned.ts";

/** With two rounds a second a million are gone through in nine minutes. */
const ROUND_COPIES = 1_000;
/** Found since the last round; what is more comes again in the next pass. */
const DUE_MAX = 1_000;
/** More documents than these are told as these. */
const UNHEALED_MAX = 100_000;

const LEAVES = leavesOf(0, 0).to;

export type OwnIndex = Pick<HotIndex, "copyOf" | "copies" | "holds">;

export interface OwnCopiesOptions {
  readonly sql: postgres.Sql;
  readonly site: string;
  readonly network: Network;
  readonly index: () => OwnIndex;
  readonly planned: Pick<PlannedDigests, "isUntouchedSince">;
  readonly applied: Pick<AppliedLog, "waitFor">;
  readonly budget: RepairBudget;
  readonly repair: (faults: readonly Fault[]) => Promise<RepairsResponse>;
}

/** What one pass has seen; another index is another pass. */
interface Pass {
  readonly index: OwnIndex;
  readonly copies: Iterator<HeldCopy>;
  /** Taken from the index, and not compared yet. */
  ids: readonly string[];
  areCopiesOver: boolean;
  readonly isLeafRead: Uint8Array;
  leavesRead: number;
  /** Found since the last round. */
  readonly due: Map<string, Fault>;
  wrong: number;
  /** Documents that were wrong when they were last looked at, and were not repaired since. */
  readonly unhealed: Set<string>;
}

/**
 * A pass goes through Postgres by ranges of documents, beside the count of what is planned elsewhere, and through the index. The two are
 * level where the log is applied up to the place at which Postgres was read, and nothing in the range was written since.
 */
export class OwnCopies {
  readonly #options: OwnCopiesOptions;
  #pass: Pass;
  #comparison: Comparison = {
    ...NOT_COMPARED,
    state: "not_ready",
    detail: "The index is being compared with Postgres for the first time.",
  };

  constructor(options: OwnCopiesOptions) {
    this.#options = options;
    this.#pass = passOf(options.index());
  }

  get comparison(): Comparison {
    return this.#comparison;
  }

  /**
   * Compares the documents of a leaf as Postgres had them at `sequence`; the log is applied so far at least.
   *
   * @param index - the index from before Postgres was read.
   */
  compare(
    { leaf, documents }: { readonly leaf: number; readonly documents: readonly ReadDocument[] },
    { index, sequence }: { readonly index: OwnIndex; readonly sequence: string },
  ): void {
    const pass = this.#current();
    if (pass.index !== index) return;
    pass.leavesRead += pass.isLeafRead[leaf] === 0 ? 1 : 0;
    pass.isLeafRead[leaf] = 1;
    for (const document of documents) this.#judge(document.id, { document, sequence });
  }

  /** Goes on through the index, and repairs what was found. */
  async round(nowMs: number): Promise<void> {
    await this.#compareCopies(this.#current());
    await this.#repair();
    const pass = this.#current();
    const isRead = pass.areCopiesOver && pass.ids.length === 0 && pass.leavesRead === LEAVES;
    // The count goes on beside this: what it has found since waits for the next round.
    if (isRead && pass.due.size === 0) this.#endPass(pass, nowMs);
  }

  /** Begins anew where memory was read again: what was found in the former one says nothing of this one. */
  #current(): Pass {
    const index = this.#options.index();
    if (this.#pass.index !== index) this.#pass = passOf(index);
    return this.#pass;
  }

  async #compareCopies(pass: Pass): Promise<void> {
    if (pass.ids.length === 0) takeIds(pass);
    const { ids } = pass;
    if (ids.length === 0) return;
    const { sql, applied } = this.#options;
    const read = await readLevel(sql, applied, (tx) => plannedByIds(tx, ids));
    if (read === null || this.#current() !== pass) return;
    const documents = new Map(read.documents.map((document) => [document.id, document]));
    for (const id of ids) this.#judge(id, { document: documents.get(id) ?? null, sequence: read.sequence });
    pass.ids = [];
  }

  #judge(
    id: string,
    { document, sequence }: { readonly document: ReadDocument | null; readonly sequence: string },
  ): void {
    const { site, network, planned } = this.#options;
    const { index, due, unhealed } = this.#pass;
    if (!planned.isUntouchedSince(id, sequence)) return;
    const copy = index.copyOf(id);
    const isPlanned = document !== null && document.passage_count > 0 && index.holds(document);
    const verdict = judge({
      documentId: id,
      planned: isPlanned ? plannedOf(document) : null,
      found: copy === null ? [] : [{ ...copy, document_id: id, digest: null, damaged: 0 }],
      lastChange: document?.sequence ?? sequence,
      settledAt: sequence,
      mayHold: (name) => mayHold(network, name, { id: site }),
    });
    if (typeof verdict !== "object") {
      unhealed.delete(id);
      return;
    }
    this.#pass.wrong += 1;
    if (unhealed.size < UNHEALED_MAX) unhealed.add(id);
    if (due.size < DUE_MAX) due.set(id, verdict);
  }

  async #repair(): Promise<void> {
    const pass = this.#pass;
    const faults = [...pass.due.values()];
    pass.due.clear();
    const { now: order } = this.#options.budget.take(faults);
    if (order.length === 0) return;
    this.#comparison = { ...this.#comparison, found: this.#comparison.found + order.length };
    const { repairs } = await this.#options.repair(order);
    this.#options.budget.written(repairs);
    for (const { document_id: id } of repairs) pass.unhealed.delete(id);
    this.#comparison = { ...this.#comparison, repaired: this.#comparison.repaired + repairs.length };
  }

  #endPass({ index, wrong, unhealed }: Pass, nowMs: number): void {
    this.#comparison = {
      ...this.#comparison,
      state: wrong === 0 ? "equal" : "different",
      detail: null,
      compared_at: new Date(nowMs).toISOString(),
      rounds: this.#comparison.rounds + 1,
      unhealed: unhealed.size,
    };
    this.#pass = passOf(index);
  }
}

function passOf(index: OwnIndex): Pass {
  return {
    index,
    copies: index.copies(),
    ids: [],
    areCopiesOver: false,
    isLeafRead: new Uint8Array(LEAVES),
    leavesRead: 0,
    due: new Map(),
    wrong: 0,
    unhealed: new Set(),
  };
}

/** Hidden copies count: a base that is being taken over has hardly any others. */
function takeIds(pass: Pass): void {
  const ids: string[] = [];
  for (let steps = 0; steps < ROUND_COPIES && !pass.areCopiesOver; steps += 1) {
    const next = pass.copies.next();
    if (next.done === true) pass.areCopiesOver = true;
    else if (!next.value.hidden) ids.push(next.value.id);
  }
  pass.ids = ids;
}

function plannedOf({ version, residency, digest, passage_count: passages }: ReadDocument): ExpectedCopy {
  return { version, class: residency, digest, passages };
}
