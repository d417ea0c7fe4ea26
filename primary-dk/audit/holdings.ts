/** Tells an audit what the system of record, the index and the ledger have. */
import type { HoldingLine } from "@kattegat/protocol/holdings.ts";
import { documentRecordSchema } from "../ledger/copies.ts";
import { tierNameOf } from "../documents/state.ts";
import type { Primary } from "../primary.ts";

/** Rows of a page: a few hundredths of a second of Postgres. */
const PAGE_ROWS = 2_000;

type Told = Pick<Primary, "database" | "memory" | "applied" | "network" | "ledger">;

/**
 * Yields pages as they are now, not one snapshot: an audit of a million documents holds no transaction open. What changes meanwhile
 * has a later sequence than the audit has seen, so it asks again.
 */
export async function* readHoldings(primary: Told): AsyncGenerator<HoldingLine> {
  const { memory, applied, network } = primary;
  // Before the ledger's records are read: they are level with the entries only at a checkpoint.
  await primary.ledger.checkpoint();
  const { epoch, sequence } = applied.head.fence;
  const { model } = network.embedding;
  for (const store of ["memory", "disk"])
    yield { kind: "store", store, model, epoch, sequence, whole_at: null };
  yield* recordLines(primary);
  for (const { store, id, version, class: name, passages, hidden } of memory().index.copies())
    yield {
      kind: "copy",
      store,
      document_id: id,
      version,
      class: name,
      epoch: null,
      digest: null,
      passages,
      hidden,
    };
  yield* ledgerLines(primary);
  yield* goneLines(primary);
  yield { kind: "end" };
}

async function* recordLines({ database: { sql } }: Told): AsyncGenerator<HoldingLine> {
  for (let after = ""; ;) {
    const rows = await sql`
      select id, version, epoch, sequence, carried, residency, tier, moving_from, held, digest, passage_count
      from documents where id > ${after} order by id limit ${PAGE_ROWS}`;
    for (const { id, version, epoch, sequence, carried, residency, held, digest, ...row } of rows)
      yield {
        kind: "record",
        document_id: id,
        version,
        epoch,
        sequence,
        carried,
        class: residency,
        tier: tierNameOf(row["tier"]),
        moving_from: row["moving_from"] === null ? null : tierNameOf(row["moving_from"]),
        held,
        digest,
        passages: row["passage_count"],
      };
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last["id"];
  }
}

async function* ledgerLines({ database: { sql } }: Told): AsyncGenerator<HoldingLine> {
  for (const { site, removed_epoch: epoch, removed_sequence: sequence } of await sql`
    select site, removed_epoch, removed_sequence from ledger_confirmed`)
    yield { kind: "confirmed", site, epoch, sequence };
  for (let after = Buffer.alloc(0); ;) {
    const rows = await sql`
      select document, record from ledger_documents where document > ${after} order by document limit ${PAGE_ROWS}`;
    for (const row of rows) {
      const { document, copies } = documentRecordSchema.parse(JSON.parse(row["record"]));
      yield {
        kind: "recorded",
        document,
        copies: copies.map(({ site, applied }) => ({
          site,
          state: applied === null ? "planned" : "applied",
        })),
      };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last["document"];
  }
}

/** Read last: what is deleted while the others are read is told here. */
async function* goneLines({ database: { sql } }: Told): AsyncGenerator<HoldingLine> {
  const cursor = sql`
    select c.document_id, max(c.sequence) as sequence from changes c
    where c.kind = 'delete' and not exists (select from documents d where d.id = c.document_id)
    group by c.document_id`.cursor(PAGE_ROWS);
  for await (const rows of cursor)
    for (const { document_id, sequence } of rows) yield { kind: "gone", document_id, sequence };
}

export interface LastChange {
  readonly document_id: string;
  readonly epoch: number;
  readonly sequence: string;
}

/** Resolves with the last change about each of the documents, of those that had one. */
export async function lastChanges(
  { database: { sql } }: Pick<Told, "database">,
  documents: readonly string[],
): Promise<readonly LastChange[]> {
  const rows = await sql`
    select distinct on (document_id) document_id, epoch, sequence from changes
    where document_id = any(${[...documents]}) order by document_id, sequence desc`;
  return rows.map(({ document_id, epoch, sequence }) => ({ document_id, epoch, sequence }));
}
