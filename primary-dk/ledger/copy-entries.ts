/** Entries about the copies that the log of changes plans, applies and withdraws. */
import { modelsAt } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { keepsRecord } from "@kattegat/config/placement.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { RecentMap } from "@kattegat/protocol/recent-map.ts";
import { compareSequences, earlierSequence, type Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import type { CommittedEffect } from "../documents/operation.ts";
import type { Placements } from "../documents/placements.ts";
import { reachedPlace, type PlaceColumns } from "../log/on-log.ts";
import { meansAt } from "../network/means.ts";
import { advanceReceipts, markHidden, markRemoved } from "../network/receipts.ts";
import { KEY_COLUMNS, type DataKey, type DocumentSeals } from "../sealing/document-seals.ts";
import type { Erasure } from "../sealing/erasure-list.ts";
import { appendEntries } from "./append.ts";
import { commitmentOf, documentHash, jurisdictionOf, openingOf, type LedgerEntry } from "./entry.ts";

/** Changes that one confirmation records: a site that was away for long is level after some of them. */
const RECORDED_CHANGES_MAX = 2_000;

/** What sites that are some tens of seconds behind confirm: a few megabytes. */
const COMMITMENTS_MAX = 16_384;

/** Places of the log. */
interface Range {
  readonly after: string;
  readonly to: string;
}

/** Where the entries of one primary get their places and their policy from. */
export class CopyEntries {
  /** The primary's own. */
  readonly site: string;
  readonly #placements: Placements;
  readonly #policy: string;
  /** By the sequence of the change that carried the content: each of its sites confirms the same within moments. */
  readonly #commitments = new RecentMap<string, string>(COMMITMENTS_MAX);

  constructor({ placements, site }: { readonly placements: Placements; readonly site: string }) {
    this.#placements = placements;
    this.site = site;
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
        const event = { ...this.#eventOf(gone, this.site), at: at.toISOString() };
        const { site: _site, jurisdiction: _jurisdiction, ...repaired } = event;
        return [{ kind: "planned", ...repaired, reason: "repaired", commitment: null, copies: [] }];
      }
      // A group that failed may have had these sequences.
      this.#commitments.delete(sequence);
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
        commitment: key === undefined ? null : this.#commit(sequence, key, after.digest),
      };
      const sites = new Set([...this.#placements.holders(after), ...this.#recordSites(after.residency)]);
      const planned: LedgerEntry = {
        kind: "planned",
        ...event,
        copies: [...sites].toSorted().map((site) => this.#place(site)),
      };
      const own: LedgerEntry = { kind: "applied", ...event, ...this.#place(this.site), reason: "committed" };
      return content === null ? [planned] : [planned, own];
    });
  }

  /**
   * Records what a site has confirmed since the last time, in order: copies that are there, then those of which nothing is left on
   * its disks. Resolves with the receipts that it hid or removed.
   *
   * A change that a later one superseded carried nothing there, so it says nothing but that a copy is gone.
   */
  async confirmed(
    tx: postgres.TransactionSql,
    site: string,
    seals: DocumentSeals,
  ): Promise<readonly string[]> {
    // Two models of a site confirm at once: the second waits here, and finds what the first has recorded.
    await tx`
      insert into ledger_confirmed (site, epoch, sequence, removed_epoch, removed_sequence) values (${site}, 0, 0, 0, 0)
      on conflict do nothing`;
    const [known] = await tx`select * from ledger_confirmed where site = ${site} for update`;
    if (known === undefined) throw new TypeError("expected the row that was just written");
    const models = modelsAt(this.#placements.network, site).map(({ model }) => model);
    const at = { epoch: "epoch", sequence: "sequence" } as const;
    const reached = await reachedPlace(tx, { site, models, ...at });
    if (reached === null) return [];
    const applied = await rangeOf(tx, { site, known, reached, ...at });
    if (applied !== null) await this.#recordApplied(tx, { site, seals, ...applied });
    const hidden = await markHidden(tx, site, reached);
    const columns = { epoch: "removed_epoch", sequence: "removed_sequence" } as const;
    const left = await reachedPlace(tx, { site, models, ...columns });
    const removed = left && (await rangeOf(tx, { site, known, reached: left, ...columns }));
    if (removed === null) return hidden;
    await this.#recordGone(tx, { site, ...removed });
    return [...hidden, ...(await markRemoved(tx, { site, ...removed, means: this.#meansAt(site) }))];
  }

  async #recordApplied(
    tx: postgres.TransactionSql,
    { site, seals, after, to }: Range & { readonly site: string; readonly seals: DocumentSeals },
  ): Promise<void> {
    const { model } = this.#placements.network.embedding;
    const rows = await tx`
      select c.document_id, c.sequence, c.epoch, c.residency
      from changes c join documents d on d.id = c.document_id and d.carried = c.sequence
      where c.sequence > ${after} and c.sequence <= ${to} and c.kind = 'put' and ${site} = any(c.held_after)
        and not exists (
          select from refused_copies r where r.site = ${site} and r.model = ${model} and r.sequence = c.sequence
        )
      order by c.sequence`;
    const unknown = rows.flatMap(({ document_id: id, sequence }): string[] =>
      this.#commitments.has(sequence) ? [] : [id],
    );
    const keys =
      unknown.length === 0
        ? []
        : await tx`
            select d.id, d.carried, d.digest, ${tx(KEY_COLUMNS)}
            from documents d join document_keys k on k.document_id = d.id where d.id = any(${unknown})`;
    // By the change: a document may have moved on since the rows were read.
    const known = new Map(keys.map((row) => [row["carried"], row]));
    const at = new Date().toISOString();
    const entries = rows.map((row): LedgerEntry => {
      const { sequence } = row;
      const sealed = known.get(sequence);
      const commitment =
        sealed === undefined
          ? (this.#commitments.get(sequence) ?? null)
          : this.#commit(sequence, seals.keyOf(sealed), sealed["digest"]);
      return { kind: "applied", ...this.#eventOf(row, site), at, reason: "confirmed", commitment };
    });
    await appendEntries(tx, entries);
  }

  #commit(sequence: string, key: DataKey, digest: string): string {
    const commitment = commitmentOf(openingOf(key, digest));
    this.#commitments.set(sequence, commitment);
    return commitment;
  }

  async #recordGone(
    tx: postgres.TransactionSql,
    { site, after, to }: Range & { readonly site: string },
  ): Promise<void> {
    const rows = await tx`
      select c.document_id, c.sequence, c.epoch, c.kind, c.residency from changes c
      where c.sequence > ${after} and c.sequence <= ${to}
        and ${site} = any(c.held_before) and not ${site} = any(c.held_after)
      order by c.sequence`;
    const at = new Date().toISOString();
    const entries = rows.map((row): LedgerEntry => {
      const event = { ...this.#eventOf(row, site), at, reason: this.#meansAt(site) };
      return { kind: row["kind"] === "delete" ? "erased" : "withdrawn", ...event };
    });
    await appendEntries(tx, entries);
  }

  /** Deletions up to the sequence whose documents had their keys in these partitions. */
  async destroying(
    tx: postgres.TransactionSql,
    { partitions, sequence }: { readonly partitions: readonly number[]; readonly sequence: string },
  ): Promise<readonly Erasure[]> {
    const rows = await tx`
      select document_id, epoch, sequence from receipts
      where partition = any(${[...partitions]}) and sequence <= ${sequence} and key_destroyed_at is null
      order by sequence`;
    const erased_at = new Date().toISOString();
    return rows.map((row) => ({
      document: row["document_id"],
      epoch: row["epoch"],
      sequence: row["sequence"],
      erased_at,
    }));
  }

  /** Notes that the keys of these deleted documents are destroyed. */
  async destroyed(tx: postgres.TransactionSql, erasures: readonly Erasure[]): Promise<void> {
    if (erasures.length === 0) return;
    await tx`
      update receipts set key_destroyed_at = clock_timestamp()
      where key_destroyed_at is null and sequence = any(${erasures.map(({ sequence }) => sequence)}::bigint[])`;
  }

  /** Records that nothing of these deleted documents is left on this site's own disks. */
  async removedHere(tx: postgres.TransactionSql, receipts: readonly string[]): Promise<void> {
    const means = this.#meansAt(this.site);
    const rows = await tx`
      update receipt_sites s set removed_at = clock_timestamp(), means = ${means}
      from receipts r join changes c on c.sequence = r.sequence
      where r.id = s.receipt_id and s.site = ${this.site} and s.removed_at is null and r.id = any(${[...receipts]})
      returning r.id, r.document_id, r.sequence, r.epoch, c.residency, s.removed_at`;
    const entries = rows.map((row): LedgerEntry => {
      const removedAt: Date = row["removed_at"];
      const event = { ...this.#eventOf(row, this.site), at: removedAt.toISOString() };
      return { kind: "erased", ...event, reason: means };
    });
    await appendEntries(tx, entries);
    await advanceReceipts(
      tx,
      rows.map((row): string => row["id"]),
    );
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

  #meansAt(site: string): string {
    return meansAt(this.#placements.network, site);
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

/** What the site has reached since `known`, which is noted; null while it is nothing more. */
async function rangeOf(
  tx: postgres.TransactionSql,
  {
    site,
    known,
    reached,
    epoch,
    sequence,
  }: PlaceColumns & { readonly site: string; readonly known: postgres.Row; readonly reached: Fence },
): Promise<Range | null> {
  const after: string = known[sequence];
  if (compareSequences(reached.sequence, after) <= 0) return null;
  const furthest = String(BigInt(after) + BigInt(RECORDED_CHANGES_MAX));
  const to = earlierSequence(reached.sequence, furthest);
  await tx`
    update ledger_confirmed
    set ${tx(epoch)} = (select epoch from changes where sequence = ${to}), ${tx(sequence)} = ${to} where site = ${site}`;
  return { after, to };
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
