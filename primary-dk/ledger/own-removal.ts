/** Tells when deleted documents have left the disks of this site. */
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import type { CopyEntries } from "./copy-entries.ts";

/** Receipts of one round: a deletion by a filter may be of a whole collection. */
const ROUND_RECEIPTS_MAX = 10_000;

/** A folder of files that may have documents unsealed. */
export interface OpenFiles {
  /** Whether its files may have a content of the document that was deleted at this place of the log. */
  mayHold(id: string, deleted: Fence): boolean;
}

export class OwnRemoval {
  readonly #sql: postgres.Sql;
  readonly #copies: CopyEntries;
  readonly #folders: readonly OpenFiles[];

  constructor(options: {
    readonly sql: postgres.Sql;
    readonly copies: CopyEntries;
    readonly folders: readonly OpenFiles[];
  }) {
    this.#sql = options.sql;
    this.#copies = options.copies;
    this.#folders = options.folders;
  }

  /** Resolves with how many documents are gone: their keys are destroyed, no file of a base holds them. */
  async round(): Promise<number> {
    const rows = await this.#sql`
      select r.id, r.document_id, r.epoch, r.sequence from receipts r
      where r.completed_at is null and r.key_destroyed_at is not null
        and exists (select from receipt_sites s where s.receipt_id = r.id and s.site = ${this.#copies.site} and s.removed_at is null)
      order by r.sequence limit ${ROUND_RECEIPTS_MAX}`;
    const gone = rows.filter(
      ({ document_id: id, epoch, sequence }) =>
        !this.#folders.some((folder) => folder.mayHold(id, { epoch, sequence })),
    );
    if (gone.length === 0) return 0;
    const ids = gone.map((row): string => row["id"]);
    await this.#sql.begin((tx) => this.#copies.removedHere(tx, ids));
    return gone.length;
  }
}
