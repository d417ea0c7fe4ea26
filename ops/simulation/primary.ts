/** A primary whose Postgres is a list, with the decisions of the real one. */
import { TIER_NAMES, type Network } from "@kattegat/config/network.ts";
import type { Change, ConfirmRequest, FeedHead } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";
import { decide } from "@kattegat/primary-dk/documents/decide.ts";
import { sequenced, type WriteOperation } from "@kattegat/primary-dk/documents/operation.ts";
import { Placements } from "@kattegat/primary-dk/documents/placements.ts";
import { changeRow } from "@kattegat/primary-dk/documents/rows.ts";
import type { DocumentState } from "@kattegat/primary-dk/documents/state.ts";
import { actionOf, reasonOf, type LoggedChange } from "@kattegat/primary-dk/log/action.ts";
import type { FeedAnswer } from "@kattegat/replication/feed.ts";
import type { Primary } from "@kattegat/replication/primary.ts";
import type { Clock } from "./clock.ts";
import { recordOf, type Content } from "./content.ts";

const PAGE_CHANGES_MAX = 40;
const SETTLE_EVERY_MS = 1_000;

export interface Held {
  readonly state: DocumentState;
  readonly content: Content;
}

/** A change of the log with what the document was from then on; null when it was no more. */
export interface LogRow extends Omit<LoggedChange, "current"> {
  readonly after: Held | null;
}

/** The places at which a primary can be built wrongly. */
export interface PrimarySeams {
  readonly actionOf: typeof actionOf;
  readonly assertOnLog: (primary: SimulatedPrimary, at: Fence) => void;
  /** The changes that a reader can see now. */
  readonly readable: (rows: readonly LogRow[], nowMs: number) => readonly LogRow[];
  /** The sequence up to which the sites of a tier have the log; null when one has said nothing of this reign. */
  readonly confirmedBy: (primary: SimulatedPrimary, sites: readonly string[]) => string | null;
  /** Whether one of the sites said that it refused the change. */
  readonly refusedBy: (primary: SimulatedPrimary, sites: readonly string[], sequence: string) => boolean;
}

/** As the primary asks its table of changes. */
function assertOnLog({ rows }: SimulatedPrimary, { epoch, sequence }: Fence): void {
  if (sequence === "0" || rows[Number(sequence) - 1]?.epoch === epoch) return;
  throw new KattegatError("divergence", `The log was never at (${epoch}, ${sequence}). Rebuild the target.`);
}

export const PRIMARY_SEAMS: PrimarySeams = {
  actionOf,
  assertOnLog,
  readable: (rows) => rows,
  confirmedBy: (primary, sites) => primary.confirmedBy(sites),
  refusedBy: (primary, sites, sequence) => primary.refusedBy(sites, sequence),
};

export interface PrimaryOptions {
  readonly site: string;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
  readonly seams: PrimarySeams;
  /** Hears how far each target has been told that the log reaches. */
  readonly told: (target: string, head: Fence) => void;
  /** Hears each move that ends, just before the old copies are withdrawn. */
  readonly settling: (primary: SimulatedPrimary, held: Held, sites: readonly string[]) => void;
}

export class SimulatedPrimary {
  readonly epoch: number;
  readonly rows: LogRow[];
  readonly documents = new Map<string, Held>();
  readonly placements: Placements;
  readonly #options: PrimaryOptions;
  readonly #confirmed = new Map<string, ConfirmRequest>();
  /** Sites with the sequences that they refused. */
  readonly #refused = new Set<string>();
  readonly #waiting = new Set<() => void>();
  readonly #rowsById = new Map<string, LogRow[]>();
  #isAlive = true;

  constructor(options: PrimaryOptions, former: { readonly epoch: number; readonly rows: readonly LogRow[] }) {
    this.#options = options;
    this.epoch = former.epoch + 1;
    this.rows = [...former.rows];
    for (const row of this.rows) this.#remember(row);
    this.placements = new Placements(options.network, () => options.clock.nowMs);
    void this.#settleForEver();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Answers nothing from now on. */
  die(): void {
    this.#isAlive = false;
    for (const wake of this.#waiting) wake();
  }

  get head(): string {
    return String(this.rows.length);
  }

  /** The changes of one document, in the order of the log. */
  rowsOf(id: string): readonly LogRow[] {
    return this.#rowsById.get(id) ?? [];
  }

  /** The standby with the log up to this sequence, in its own reign. */
  promoted(sequence: number): SimulatedPrimary {
    return new SimulatedPrimary(this.#options, { epoch: this.epoch, rows: this.rows.slice(0, sequence) });
  }

  /** Commits what the operation does; returns its sequence, or null when that is nothing. */
  write(operation: WriteOperation, content: Content | null): string | null {
    const { clock } = this.#options;
    const before = this.documents.get(operation.id) ?? null;
    const decision = decide(
      before?.state ?? null,
      { operation, passages: content?.prepared ?? null },
      { placements: this.placements, site: this.#options.site, nowMs: clock.nowMs },
    );
    if (decision.kind !== "effect") return null;
    const sequence = String(this.rows.length + 1);
    const effect = sequenced(decision.effect, {
      sequence,
      epoch: this.epoch,
      placements: this.placements,
    });
    const { version: _version, ...row } = changeRow(effect, { at: new Date(clock.nowMs) });
    const kept = content ?? before?.content ?? null;
    const after = effect.after === null || kept === null ? null : { state: effect.after, content: kept };
    const logged = { ...row, after };
    this.rows.push(logged);
    this.#remember(logged);
    for (const wake of this.#waiting) wake();
    return sequence;
  }

  async changes(request: Parameters<Primary["changes"]>[0]): Promise<FeedAnswer> {
    const { clock, seams } = this.#options;
    const { epoch, sequence: after } = request.after;
    if (epoch > this.epoch) throw new KattegatError("stale_epoch", `The target is of epoch ${epoch}.`);
    if (compareSequences(after, this.head) > 0)
      throw new KattegatError("divergence", `The target stands at ${after}; the log ends at ${this.head}.`);
    seams.assertOnLog(this, request.after);
    const untilMs = clock.nowMs + request.waitMs;
    const isNew = (): boolean => compareSequences(this.#readable().at(-1)?.sequence ?? "0", after) > 0;
    while (this.#isAlive && !isNew() && clock.nowMs < untilMs) await this.#wake(untilMs);
    const readable = this.#readable();
    const first = readable.findLastIndex(({ sequence }) => compareSequences(sequence, after) <= 0) + 1;
    const length = Math.min(request.limit, 1 + Math.floor(this.#options.random() * PAGE_CHANGES_MAX));
    const page = readable.slice(first, first + length);
    this.#options.told(request.target, { epoch: this.epoch, sequence: readable.at(-1)?.sequence ?? "0" });
    const head: FeedHead = {
      kind: "head",
      epoch: this.epoch,
      sequence: readable.at(-1)?.sequence ?? "0",
      at: new Date(clock.nowMs).toISOString(),
      model: this.#options.network.embedding.model,
      models: [this.#options.network.embedding.model],
      statistics_version: null,
    };
    return { changes: page.map((row) => this.#changeOf(row, request.target, seams)), head };
  }

  confirm(report: ConfirmRequest): void {
    this.#confirmed.set(report.site, report);
    for (const { epoch, sequence } of report.refused ?? [])
      if (this.rows[Number(sequence) - 1]?.epoch === epoch) this.#refused.add(`${report.site} ${sequence}`);
  }

  /** As the primary computes it over its table of targets. */
  confirmedBy(sites: readonly string[]): string | null {
    let lowest: string | null = null;
    for (const site of sites) {
      const watermark =
        site === this.#options.site
          ? { epoch: this.epoch, sequence: this.head }
          : this.#confirmed.get(site)?.watermark;
      if (watermark === undefined || watermark.epoch !== this.epoch) return null;
      if (lowest === null || compareSequences(watermark.sequence, lowest) < 0) lowest = watermark.sequence;
    }
    return lowest;
  }

  refusedBy(sites: readonly string[], sequence: string): boolean {
    return sites.some((site) => this.#refused.has(`${site} ${sequence}`));
  }

  #readable(): readonly LogRow[] {
    return this.#options.seams.readable(this.rows, this.#options.clock.nowMs);
  }

  #remember(row: LogRow): void {
    const { document_id: id, after } = row;
    if (after === null) this.documents.delete(id);
    else this.documents.set(id, after);
    const rows = this.#rowsById.get(id);
    if (rows === undefined) this.#rowsById.set(id, [row]);
    else rows.push(row);
  }

  #wake(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.#options.clock.after(untilMs - this.#options.clock.nowMs, wake);
      this.#waiting.add(wake);
    });
  }

  #changeOf(row: LogRow, target: string, seams: PrimarySeams): Change {
    const held = this.documents.get(row.document_id);
    const isCarried = held !== undefined && held.state.carried === row.sequence;
    const current = isCarried
      ? { ...held.state, passages: held.content.records.length, characters: 0 }
      : null;
    const action = seams.actionOf({ ...row, current }, { target, placements: this.placements });
    const base = { epoch: row.epoch, sequence: row.sequence, committed_at: row.committed_at.toISOString() };
    if (action === "skip") return { kind: "skip", ...base };
    if (action === "withdraw")
      return { kind: "withdraw", ...base, document_id: row.document_id, reason: reasonOf(row) };
    if (held === undefined) throw new RangeError("a put of a document that is no more");
    return {
      kind: "put",
      ...base,
      document_id: row.document_id,
      document: recordOf(held.state, held.content),
    };
  }

  async #settleForEver(): Promise<void> {
    const { clock, seams, settling } = this.#options;
    for (;;) {
      await clock.sleep(SETTLE_EVERY_MS);
      if (!this.#isAlive) return;
      for (const tier of TIER_NAMES) {
        for (const held of Array.from(this.documents.values())) {
          const { state } = held;
          if (state.moving_from === null || state.tier !== tier) continue;
          const sites = this.placements.of(state.residency, tier);
          const confirmed = seams.confirmedBy(this, sites);
          if (confirmed === null || compareSequences(state.carried, confirmed) > 0) continue;
          if (seams.refusedBy(this, sites, state.carried)) continue;
          settling(this, held, sites);
          this.write({ kind: "settle", id: state.id, carried: state.carried }, null);
        }
      }
    }
  }
}
