/** Compares what this site's own index shows with Postgres, over and over. */
import type { Network } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { judge, type Fault } from "@kattegat/engine/digests/judge.ts";
import {
  encodeKey,
  type Comparison,
  type PlannedCopy,
  type RepairsResponse,
} from "@kattegat/protocol/digests.ts";
import type postgres from "postgres";
import type { AppliedLog } from "../log/head.ts";
import type { HeldCopy, HotIndex } from "../search/hot-index.ts";
import type { PlannedDigests } from "./planned-digests.ts";
import { plannedByIds, readLevel, type ReadDocument } from "./read-planned.ts";

/** With two rounds a second a million are gone through in nine minutes. */
const ROUND_COPIES = 1_000;
/** Twenty a second: more at once is a disaster that a person should look at first. */
const ROUND_REPAIRS = 10;

type OwnIndex = Pick<HotIndex, "copyOf" | "copies" | "holds">;

export interface OwnCopiesOptions {
  readonly sql: postgres.Sql;
  readonly site: string;
  readonly network: Network;
  readonly index: () => OwnIndex;
  readonly planned: Pick<PlannedDigests, "isUntouchedSince">;
  readonly applied: Pick<AppliedLog, "waitFor">;
  readonly repair: (faults: readonly Fault[]) => Promise<RepairsResponse>;
  readonly report: (comparison: Comparison) => void;
}

/**
 * A pass goes through Postgres by ranges of documents, beside the count of what is planned elsewhere, and through the index. Postgres and
 * the index are level where the log is applied up to the place at which Postgres was read and nothing in the range was written since.
 */
export class OwnCopies {
  readonly #options: OwnCopiesOptions;
  #copies: Iterator<HeldCopy> | null = null;
  #index: OwnIndex | null = null;
  #isCopiesOver = false;
  #isRecordsOver = false;
  /** Faults of this pass, by document. */
  #faults = new Map<string, Fault>();
  readonly #due: Fault[] = [];
  /** Repaired in the last pass: what is found again was not healed. */
  #tried: ReadonlySet<string> = new Set();
  #repairedNow = new Set<string>();
  #unhealed = 0;
  #comparison: Comparison = {
    state: "not_ready",
    detail: "The index is being compared with Postgres for the first time.",
    compared_at: null,
    rounds: 0,
    found: 0,
    repaired: 0,
    pending: 0,
    unhealed: 0,
    unread: 0,
    bytes: 0,
    scrubbed_bytes: 0,
  };

  constructor(options: OwnCopiesOptions) {
    this.#options = options;
  }

  /** Compares documents as Postgres had them at `sequence`; nothing about them was written since, and the index is at least there. */
  compare(documents: readonly ReadDocument[], sequence: string): void {
    for (const document of documents)
      this.#judge(document.id, { document, lastChange: document.sequence, sequence });
  }

  /** Every document of Postgres was compared. */
  recordsOver(): void {
    this.#isRecordsOver = true;
  }

  /** Goes on through the index, and repairs. */
  async round(nowMs: number): Promise<void> {
    await this.#compareCopies();
    await this.#repair();
    if (this.#isRecordsOver && this.#isCopiesOver) this.#endPass(nowMs);
    this.#options.report(this.#comparison);
  }

  async #compareCopies(): Promise<void> {
    if (this.#isCopiesOver) return;
    const ids = this.#nextIds();
    if (ids.length === 0) return;
    const { sql, applied, planned } = this.#options;
    const read = await readLevel(sql, applied, (tx) => plannedByIds(tx, ids));
    if (read === null) return;
    const { sequence, documents } = read;
    const found = new Map(documents.map((document) => [document.id, document]));
    for (const id of ids) {
      const document = found.get(id) ?? null;
      if (planned.isUntouchedSince(id, sequence))
        this.#judge(id, { document, lastChange: document?.sequence ?? null, sequence });
    }
  }

  #nextIds(): readonly string[] {
    const index = this.#options.index();
    // Memory that was made anew has another list.
    if (index !== this.#index) this.#copies = null;
    this.#index = index;
    this.#copies ??= index.copies();
    const ids: string[] = [];
    while (ids.length < ROUND_COPIES) {
      const next = this.#copies.next();
      if (next.done === true) {
        this.#copies = null;
        this.#isCopiesOver = true;
        break;
      }
      if (!next.value.hidden) ids.push(next.value.id);
    }
    return ids;
  }

  #judge(
    id: string,
    {
      document,
      lastChange,
      sequence,
    }: {
      readonly document: ReadDocument | null;
      readonly lastChange: string | null;
      readonly sequence: string;
    },
  ): void {
    const { site, network } = this.#options;
    const index = this.#options.index();
    const copy = index.copyOf(id);
    const isPlanned = document !== null && document.passage_count > 0 && index.holds(document);
    const verdict = judge({
      documentId: id,
      planned: isPlanned ? plannedOf(document) : null,
      found: copy === null ? [] : [{ ...copy, document_id: id, digest: null, damaged: 0 }],
      lastChange,
      settledAt: sequence,
      mayHold: (name) => mayHold(network, name, { id: site }),
    });
    if (typeof verdict !== "object" || this.#faults.has(id)) return;
    this.#faults.set(id, verdict);
    this.#due.push(verdict);
    this.#comparison = { ...this.#comparison, found: this.#comparison.found + 1 };
  }

  async #repair(): Promise<void> {
    const faults = this.#due.splice(0, ROUND_REPAIRS);
    if (faults.length === 0) return;
    for (const { document_id: id } of faults) this.#repairedNow.add(id);
    this.#unhealed += faults.filter(({ document_id: id }) => this.#tried.has(id)).length;
    const { repairs } = await this.#options.repair(faults);
    this.#comparison = { ...this.#comparison, repaired: this.#comparison.repaired + repairs.length };
  }

  #endPass(nowMs: number): void {
    if (this.#due.length > 0) return;
    this.#comparison = {
      ...this.#comparison,
      state: this.#faults.size === 0 ? "equal" : "different",
      detail: null,
      compared_at: new Date(nowMs).toISOString(),
      rounds: this.#comparison.rounds + 1,
      unhealed: this.#unhealed,
    };
    this.#faults = new Map();
    this.#tried = this.#repairedNow;
    this.#repairedNow = new Set();
    this.#unhealed = 0;
    this.#isRecordsOver = false;
    this.#isCopiesOver = false;
  }
}

function plannedOf(document: ReadDocument): PlannedCopy {
  const { id, version, residency, digest, passage_count: passages, sequence } = document;
  return {
    key: encodeKey(keyOf(id)),
    document_id: id,
    version,
    class: residency,
    digest,
    passages,
    sequence,
  };
}
