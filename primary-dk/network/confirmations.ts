/** How far each target has confirmed the log. */
import { modelsOf } from "@kattegat/config/models.ts";
import { TIER_NAMES } from "@kattegat/config/network.ts";
import type { ConfirmRequest } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import {
  compareFences,
  compareSequences,
  FENCE_ZERO,
  sequenceSchema,
  type Fence,
} from "@kattegat/protocol/sequence.ts";
import { z } from "zod";
import type { Placements } from "../documents/placements.ts";
import type { Writer } from "../documents/writer.ts";
import type { CopyEntries } from "../ledger/copy-entries.ts";
import type { DocumentSeals } from "../sealing/document-seals.ts";
import type { NextVectors } from "../next/next-vectors.ts";
import type { AppliedLog } from "../log/head.ts";
import type { Database } from "../postgres/database.ts";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { targets } from "../postgres/schema.ts";
import { advanceReceipts } from "./receipts.ts";
import { noteRefused, UnmatchedRefusals } from "./refusals.ts";

export interface Confirmation extends ConfirmRequest {
  readonly confirmedAtMs: number;
}

interface ConfirmationsLog {
  error(fields: object, message: string): void;
}

const targetRow = rowSchema<typeof targets.$inferSelect>()({
  site: z.string(),
  model: z.string(),
  epoch: z.int(),
  sequence: sequenceSchema,
  lag_ms: z.number(),
  /** A decimal string from the driver, like every bigint. */
  lag_changes: z.string().regex(/^\d+$/).transform(Number),
  parked: z.int(),
  healthy: z.boolean(),
  confirmed_at: z.date(),
  removed_epoch: z.int(),
  removed_sequence: sequenceSchema,
});

/** Moves settled in one round: two groups of the writer. */
const SETTLED_MAX = 512;

export class Confirmations {
  readonly unmatched = new UnmatchedRefusals();
  readonly #database: Database;
  readonly #placements: Placements;
  readonly #site: string;
  readonly #applied: AppliedLog;
  readonly #log: ConfirmationsLog;
  readonly #now: () => number;
  /** By site and model. */
  readonly #known = new Map<string, Confirmation>();
  readonly #next: NextVectors | null;
  readonly #copies: CopyEntries;
  readonly #seals: DocumentSeals;

  constructor(options: {
    readonly database: Database;
    readonly placements: Placements;
    readonly site: string;
    readonly applied: AppliedLog;
    readonly log: ConfirmationsLog;
    readonly now: () => number;
    /** Null without a model that is being prepared. */
    readonly next: NextVectors | null;
    readonly copies: CopyEntries;
    readonly seals: DocumentSeals;
  }) {
    this.#next = options.next;
    this.#copies = options.copies;
    this.#seals = options.seals;
    this.#database = options.database;
    this.#placements = options.placements;
    this.#site = options.site;
    this.#applied = options.applied;
    this.#log = options.log;
    this.#now = options.now;
  }

  async load(): Promise<void> {
    const { sql } = this.#database;
    const rows = checkedRows(targetRow, await sql`select ${sql(columnsOf(targetRow))} from targets`);
    for (const { epoch, sequence, confirmed_at, removed_epoch, removed_sequence, ...target } of rows) {
      this.#known.set(keyOf(target), {
        ...target,
        watermark: { epoch, sequence },
        removed: { epoch: removed_epoch, sequence: removed_sequence },
        confirmedAtMs: confirmed_at.getTime(),
      });
    }
  }

  /** What was last heard of a site's copies with vectors of the model, the serving one when none is named. */
  of(site: string, model: string = this.#placements.network.embedding.model): Confirmation | null {
    return this.#known.get(keyOf({ site, model })) ?? null;
  }

  /** Why a search may not ask the site for the model that is being prepared; null when it may. */
  nextMissing(site: string): string | null {
    const { network } = this.#placements;
    const confirmed = network.embedding.next && this.of(site, network.embedding.next.model);
    const wholeAt = this.#next?.wholeAt ?? null;
    if (wholeAt === null) return "passages are still being embedded";
    if (!confirmed) return "its copies have not begun";
    const { watermark, lag_ms } = confirmed;
    if (compareSequences(watermark.sequence, wholeAt) < 0)
      return `its copies are at sequence ${watermark.sequence} of ${wholeAt}`;
    if (isSilent(confirmed, this.#now())) return "its copies do not answer";
    return lag_ms > network.limits.lag_ms_max ? `its copies are ${Math.round(lag_ms)} ms behind` : null;
  }

  /**
   * Resolves when the confirmation is stored, with every receipt that it completes.
   *
   * An erasure has reached a site when the copies of every model there are so far. What the site does not say of removal this
   * time is as it was.
   */
  async confirm(request: ConfirmRequest): Promise<void> {
    const { model = this.#placements.network.embedding.model } = request;
    const { site, watermark, lag_ms, lag_changes, parked, healthy } = request;
    const removed = request.removed ?? this.of(site, model)?.removed ?? FENCE_ZERO;
    // A former model's copies would count as the site's slowest for ever.
    if (!modelsOf(this.#placements.network).some((known) => known.model === model))
      throw new KattegatError("not_ready", `The network file names no model ${model}.`);
    const unmatched = await this.#database.sql.begin(async (tx) => {
      await tx`
        insert into targets (
          site, model, epoch, sequence, lag_ms, lag_changes, parked, healthy, confirmed_at, removed_epoch, removed_sequence
        )
        values (
          ${site}, ${model}, ${watermark.epoch}, ${watermark.sequence},
          ${lag_ms}, ${lag_changes}, ${parked}, ${healthy}, clock_timestamp(), ${removed.epoch}, ${removed.sequence}
        )
        on conflict (site, model) do update set
          epoch = excluded.epoch, sequence = excluded.sequence,
          lag_ms = excluded.lag_ms, lag_changes = excluded.lag_changes,
          parked = excluded.parked, healthy = excluded.healthy, confirmed_at = excluded.confirmed_at,
          removed_epoch = excluded.removed_epoch, removed_sequence = excluded.removed_sequence`;
      const before = this.of(site, model)?.watermark ?? FENCE_ZERO;
      const left = await noteRefused(tx, { ...request, model }, before);
      await advanceReceipts(tx, await this.#copies.confirmed(tx, site, this.#seals));
      return left;
    });
    const fields = this.unmatched.note(site, unmatched, this.#applied.head.fence);
    if (fields !== null) this.#log.error(fields, "a site refused changes that the log does not have");
    this.#known.set(keyOf({ site, model }), { ...request, removed, confirmedAtMs: this.#now() });
  }

  /**
   * Resolves with how many moves ended: those whose new tier's sites have all confirmed the change that carried the document, and
   * none has refused it.
   *
   * Only then do the old tier's sites withdraw their copies, so the document is never nowhere (I10).
   */
  async settle(writer: Writer): Promise<number> {
    let settled = 0;
    const models = modelsOf(this.#placements.network).map(({ model }) => model);
    for (const residency of Object.keys(this.#placements.network.classes)) {
      for (const tier of TIER_NAMES) {
        const sites = this.#placements.of(residency, tier);
        const sequence = this.#confirmedBy(sites);
        if (sequence === null) continue;
        const rows = await this.#database.sql`
          select id, carried from documents d
          where moving_from is not null and residency = ${residency} and tier = ${tier} and carried <= ${sequence}
            and not exists (
              select from refused_copies r
              where r.site = any(${[...sites]}) and r.model = any(${models}) and r.sequence = d.carried
            )
          order by carried limit ${SETTLED_MAX}`;
        await Promise.all(
          rows.map((row) => writer.submit({ kind: "settle", id: row["id"], carried: row["carried"] })),
        );
        settled += rows.length;
      }
    }
    return settled;
  }

  /** The sequence that all of the sites have confirmed in this epoch; null when one has confirmed none. */
  #confirmedBy(sites: readonly string[]): string | null {
    let lowest: string | null = null;
    for (const site of sites) {
      const sequence = this.#sequenceOf(site);
      if (sequence === null) return null;
      if (lowest === null || compareSequences(sequence, lowest) < 0) lowest = sequence;
    }
    return lowest;
  }

  #sequenceOf(site: string): string | null {
    const { fence } = this.#applied.head;
    if (site === this.#site) return fence.sequence;
    const watermark: Fence | undefined = this.of(site)?.watermark;
    // Beyond the head: of a log that went back.
    if (watermark?.epoch !== fence.epoch || compareFences(watermark, fence) > 0) return null;
    const next = this.#searchedNext(site);
    return next !== null && compareSequences(next, watermark.sequence) < 0 ? next : watermark.sequence;
  }

  /** How far the site's copies of the model to come are, once searches ask for them: then they may lose no document either. */
  #searchedNext(site: string): string | null {
    const { next } = this.#placements.network.embedding;
    if (next === undefined || this.nextMissing(site) !== null) return null;
    return this.of(site, next.model)?.watermark.sequence ?? null;
  }
}

/** Replication confirms every few seconds while idle too; after this silence a target counts as not answering. */
const SILENT_MS_MAX = 30_000;

export function isSilent({ healthy, confirmedAtMs }: Confirmation, nowMs: number): boolean {
  return !healthy || nowMs - confirmedAtMs > SILENT_MS_MAX;
}

function keyOf({ site, model }: { readonly site: string; readonly model: string }): string {
  return `${site} ${model}`;
}
