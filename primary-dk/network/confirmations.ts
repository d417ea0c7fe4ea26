/** How far each target has confirmed the log. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import type { ConfirmRequest } from "@kattegat/protocol/changes.ts";
import { compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";
import type { Placements } from "../documents/placements.ts";
import type { Writer } from "../documents/writer.ts";
import type { AppliedLog } from "../log/head.ts";
import type { Database } from "../postgres/database.ts";
import { targets } from "../postgres/schema.ts";

export interface Confirmation extends ConfirmRequest {
  readonly confirmedAtMs: number;
}

/** Moves settled in one round: two groups of the writer. */
const SETTLED_MAX = 512;

export class Confirmations {
  readonly #database: Database;
  readonly #placements: Placements;
  readonly #site: string;
  readonly #log: AppliedLog;
  readonly #now: () => number;
  readonly #bySite = new Map<string, Confirmation>();

  constructor(options: {
    readonly database: Database;
    readonly placements: Placements;
    readonly site: string;
    readonly log: AppliedLog;
    readonly now: () => number;
  }) {
    this.#database = options.database;
    this.#placements = options.placements;
    this.#site = options.site;
    this.#log = options.log;
    this.#now = options.now;
  }

  async load(): Promise<void> {
    for (const { epoch, sequence, confirmed_at, ...target } of await this.#database.db
      .select()
      .from(targets)) {
      this.#bySite.set(target.site, {
        ...target,
        watermark: { epoch, sequence },
        confirmedAtMs: confirmed_at.getTime(),
      });
    }
  }

  of(site: string): Confirmation | null {
    return this.#bySite.get(site) ?? null;
  }

  /** Resolves when the confirmation is stored, with every receipt that it completes. */
  async confirm(request: ConfirmRequest): Promise<void> {
    const { site, watermark, lag_ms, lag_changes, parked, healthy } = request;
    await this.#database.sql.begin(async (tx) => {
      await tx`
        insert into targets values (
          ${site}, ${watermark.epoch}, ${watermark.sequence},
          ${lag_ms}, ${lag_changes}, ${parked}, ${healthy}, clock_timestamp()
        )
        on conflict (site) do update set
          epoch = excluded.epoch, sequence = excluded.sequence,
          lag_ms = excluded.lag_ms, lag_changes = excluded.lag_changes,
          parked = excluded.parked, healthy = excluded.healthy, confirmed_at = excluded.confirmed_at`;
      await tx`
        update receipt_sites s set confirmed_at = clock_timestamp() from receipts r
        where r.id = s.receipt_id and s.site = ${site} and s.confirmed_at is null and r.completed_at is null
          and (r.epoch, r.sequence) <= (${watermark.epoch}, ${watermark.sequence}::bigint)`;
      await tx`
        update receipts r set completed_at = clock_timestamp()
        where r.completed_at is null
          and not exists (select from receipt_sites s where s.receipt_id = r.id and s.confirmed_at is null)`;
    });
    this.#bySite.set(site, { ...request, confirmedAtMs: this.#now() });
  }

  /**
   * Resolves with how many moves ended: those whose new tier's sites have all confirmed the change that carried the document.
   *
   * Only then do the old tier's sites withdraw their copies, so the document is never nowhere (I10).
   */
  async settle(writer: Writer): Promise<number> {
    let settled = 0;
    for (const residency of Object.keys(this.#placements.network.classes)) {
      for (const tier of TIER_NAMES) {
        const sequence = this.#confirmedBy(this.#placements.of(residency, tier));
        if (sequence === null) continue;
        const rows = await this.#database.sql`
          select id, carried from documents
          where moving_from is not null and residency = ${residency} and tier = ${tier} and carried <= ${sequence}
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
    const { fence } = this.#log.head;
    if (site === this.#site) return fence.sequence;
    const watermark: Fence | undefined = this.#bySite.get(site)?.watermark;
    return watermark !== undefined && watermark.epoch === fence.epoch ? watermark.sequence : null;
  }
}
