/** Entries about the copies that the log of changes plans, applies and withdraws. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { keepsRecord } from "@kattegat/config/placement.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { compareFences, compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import type { CommittedEffect } from "../documents/operation.ts";
import type { Placements } from "../documents/placements.ts";
import { completeReceipts } from "../network/receipts.ts";
import { KEY_COLUMNS, type DataKey, type DocumentSeals } from "../sealing/document-seals.ts";
import type { Erasure } from "../sealing/erasure-list.ts";
import { appendEntries } from "./append.ts";
import { commitmentOf, documentHash, jurisdictionOf, openingOf, type LedgerEntry } from "./entry.ts";

/** Changes that one confirmation records: a site that was away for long is level after some of them. */
const RECORDED_CHANGES_MAX = 2_000;
const FIRST: Fence = { epoch: 0, sequence: "0" };

/** Where the entries of one primary get their places and their policy from. */
export class CopyEntries {
  readonly #placements: Placements;
  readonly #site: string;
  readonly #policy: string;

  constructor({ placements, site }: { readonly placements: Placements; readonly site: string }) {
    this.#placements = placements;
    this.#site = site;
    this.#policy = placements.policy;
  }

  /** Of a group of changes as it is committed: what is planned, with the primary's own copy, which is there with the commit. */
  committed(
    effects: readonly CommittedEffect[],
    { at, keys }: { readonly at: Date; readonly keys: ReadonlyMap<string, DataKey> },
  ): readonly LedgerEntry[] {
    return effects.flatMap((effect): LedgerEntry[] => {
      const { after, kind, content, sequence, epoch, stray } = effect;
      if (stray !== undefined) {
        const gone = { document_id: stray.id, residency: stray.residency, sequence, epoch };
        const event = { ...this.#eventOf(gone, this.#site), at: at.toISOString() };
        const { site: _site, jurisdiction: _jurisdiction, ...repaired } = event;
        return [{ kind: "planned", ...repaired, reason: "repaired", commitment: null, copies: [] }];
      }
      if (after === null || kind !== "put") return [];
      const key = keys.get(after.id);
      const event = {
        document: documentHash(after.id).toString("hex"),
        class: after.residency,
        policy: this.#policy,
        reason: reasonOf(effect),
        sequence,
        epoch,
        at: at.toISOString(),
        commitment: key === undefined ? null : commitmentOf(openingOf(key, after.digest)),
      };
      const sites = new Set([...this.#placements.holders(after), ...this.#recordSites(after.residency)]);
      const planned: LedgerEntry = {
        kind: "planned",
        ...event,
        copies: [...sites].toSorted().map((site) => this.#place(site)),
      };
      const own: LedgerEntry = { kind: "applied", ...event, ...this.#place(this.#site), reason: "committed" };
      return content === null ? [planned] : [planned, own];
    });
  }

  /**
   * Records what a site has confirmed since the last time, in order.
   *
   * A change that a later one superseded carried nothing there, so it says nothing but that a copy is gone.
   */
  async confirmed(tx: postgres.TransactionSql, site: string, seals: DocumentSeals): Promise<void> {
    const range = await this.#confirmedRange(tx, site);
    if (range === null) return;
    const rows = await tx`
      select c.document_id, c.sequence, c.epoch, c.kind, c.residency,
        ${site} = any(c.held_after) as held, ${site} = any(c.held_before) as was_held,
        d.carried, d.digest, ${tx(KEY_COLUMNS)}
      from changes c
      left join documents d on d.id = c.document_id and d.carried = c.sequence
      left join document_keys k on k.document_id = d.id
      where c.sequence > ${range.after} and c.sequence <= ${range.to} order by c.sequence`;
    const at = new Date().toISOString();
    const entries = rows.flatMap((row): LedgerEntry[] => {
      const event = { ...this.#eventOf(row, site), at };
      if (row["held"] === true) {
        if (row["kind"] !== "put" || row["carried"] === null) return [];
        const commitment = commitmentOf(openingOf(seals.keyOf(row), row["digest"]));
        return [{ kind: "applied", ...event, reason: "confirmed", commitment }];
      }
      if (row["was_held"] !== true) return [];
      return row["kind"] === "delete"
        ? [{ kind: "erased", ...event, reason: "deleted" }]
        : [{ kind: "withdrawn", ...event, reason: "confirmed" }];
    });
    await appendEntries(tx, entries);
    await tx`
      insert into ledger_confirmed (site, epoch, sequence) values (${site}, ${range.epoch}, ${range.to})
      on conflict (site) do update set epoch = excluded.epoch, sequence = excluded.sequence`;
  }

  /** Deletions up to the sequence whose documents had their keys in these partitions. */
  async destroying(
    tx: postgres.TransactionSql,
    { partitions, sequence }: { readonly partitions: readonly number[]; readonly sequence: string },
  ): Promise<readonly Erasure[]> {
    const rows = await tx`
      select r.document_id, r.epoch, r.sequence from receipts r
      join receipt_sites s on s.receipt_id = r.id and s.site = ${this.#site} and s.removed_at is null
      where r.partition = any(${[...partitions]}) and r.sequence <= ${sequence} order by r.sequence`;
    const erased_at = new Date().toISOString();
    return rows.map((row) => ({
      document: row["document_id"],
      epoch: row["epoch"],
      sequence: row["sequence"],
      erased_at,
    }));
  }

  /** Records that the keys of these deleted documents are destroyed. */
  async destroyed(tx: postgres.TransactionSql, erasures: readonly Erasure[]): Promise<void> {
    if (erasures.length === 0) return;
    const rows = await tx`
      update receipt_sites s set removed_at = clock_timestamp()
      from receipts r join changes c on c.sequence = r.sequence
      where r.id = s.receipt_id and s.site = ${this.#site} and s.removed_at is null
        and r.sequence = any(${erasures.map(({ sequence }) => sequence)}::bigint[])
      returning r.document_id, r.sequence, r.epoch, c.residency, s.removed_at`;
    const entries = rows.map((row): LedgerEntry => {
      const removedAt: Date = row["removed_at"];
      const event = { ...this.#eventOf(row, this.#site), at: removedAt.toISOString() };
      return { kind: "erased", ...event, reason: "key destroyed" };
    });
    await appendEntries(tx, entries);
    await completeReceipts(tx, this.#site);
  }

  #eventOf(row: postgres.Row, site: string) {
    const { document_id: id, residency, sequence, epoch } = row;
    return {
      document: documentHash(id).toString("hex"),
      class: residency,
      policy: this.#policy,
      sequence,
      epoch,
      ...this.#place(site),
    };
  }

  /** Null while the site has confirmed nothing more. */
  async #confirmedRange(
    tx: postgres.TransactionSql,
    site: string,
  ): Promise<{ readonly epoch: number; readonly after: string; readonly to: string } | null> {
    // Two models of a site confirm at once: the second waits here, and finds what the first has recorded.
    await tx`insert into ledger_confirmed (site, epoch, sequence) values (${site}, 0, 0) on conflict do nothing`;
    const [known] = await tx`select epoch, sequence from ledger_confirmed where site = ${site} for update`;
    const models = modelsOf(this.#placements.network).map(({ model }) => model);
    const [now] = await tx`
      select epoch, sequence from targets where site = ${site} and model = any(${models})
      order by epoch, sequence limit 1`;
    const before: Fence =
      known === undefined ? FIRST : { epoch: known["epoch"], sequence: known["sequence"] };
    if (now === undefined || compareFences({ epoch: now["epoch"], sequence: now["sequence"] }, before) <= 0)
      return null;
    const furthest = String(BigInt(before.sequence) + BigInt(RECORDED_CHANGES_MAX));
    const to = compareSequences(now["sequence"], furthest) < 0 ? now["sequence"] : furthest;
    return { epoch: now["epoch"], after: before.sequence, to };
  }

  /** Sites that keep the record of every document that they may hold. */
  #recordSites(residency: string): readonly string[] {
    const { network } = this.#placements;
    return network.sites
      .filter((site) => site.running && keepsRecord(site) && mayHold(network, residency, site))
      .map(({ id }) => id);
  }

  #place(site: string): { readonly site: string; readonly jurisdiction: string } {
    const network: Network = this.#placements.network;
    return { site, jurisdiction: jurisdictionOf(network.sites.find(({ id }) => id === site)) };
  }
}

function reasonOf({ before, after, content, repaired }: CommittedEffect): string {
  if (repaired === true) return "repaired";
  if (before === null || after === null) return "stored";
  if (before.residency !== after.residency) return "reclassified";
  if (content !== null) return "replaced";
  return before.tier === after.tier && before.moving_from === after.moving_from
    ? "policy changed"
    : "re-tiered";
}
