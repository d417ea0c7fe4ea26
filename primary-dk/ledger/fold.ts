/** The state of all copies, kept level with the entries. */
import type postgres from "postgres";
import { hexOf } from "../postgres/hex.ts";
import { bucketHash, bucketOf, type BucketTree } from "./buckets.ts";
import { documentRecordSchema, encodeRecord, recorded, type DocumentRecord } from "./copies.ts";
import { ledgerEntrySchema } from "./entry.ts";
import type { Hash } from "./merkle.ts";

/** Entries taken in at once: a tenth of a second of one core. */
const FOLD_ENTRIES_MAX = 2_000;

export interface Folded {
  /** How many entries are in it now. */
  readonly folded: number;
  readonly buckets: ReadonlyMap<number, Hash>;
}

/** Takes the next entries into the records of their documents; the caller hands the buckets on once it has committed. */
export async function foldEntries(tx: postgres.TransactionSql): Promise<Folded> {
  const [position] = await tx`select folded from ledger_fold for update`;
  const folded = Number(position?.["folded"]);
  const rows = await tx`
    select entry from ledger_entries where index >= ${folded} order by index limit ${FOLD_ENTRIES_MAX}`;
  if (rows.length === 0) return { folded, buckets: new Map() };
  const entries = rows.map((row) => ledgerEntrySchema.parse(JSON.parse(row["entry"])));
  const changed = new Map<string, DocumentRecord>();
  const ids = new Set(entries.flatMap((entry) => (entry.kind === "state" ? [] : [entry.document])));
  for (const row of await tx`
    select record from ledger_documents where document = any(${bytesOf(ids)}::bytea[])`) {
    const record = documentRecordSchema.parse(JSON.parse(row["record"]));
    changed.set(record.document, record);
  }
  for (const entry of entries) {
    if (entry.kind === "state") continue;
    const before = changed.get(entry.document) ?? { document: entry.document, copies: [] };
    changed.set(entry.document, recorded(before, entry));
  }
  await store(tx, [...changed.values()]);
  const buckets = await rehash(tx, new Set([...ids].map((id) => bucketOf(Buffer.from(id, "hex")))));
  const next = folded + rows.length;
  await tx`update ledger_fold set folded = ${String(next)}`;
  return { folded: next, buckets };
}

/** Loads every bucket that has documents. */
export async function loadBuckets(sql: postgres.Sql, tree: BucketTree): Promise<void> {
  for (const row of await sql`select bucket, hash from ledger_buckets`) tree.set(row["bucket"], row["hash"]);
}

/** The records of a bucket in the order of their documents' hashes. */
export async function recordsOf(
  sql: postgres.Sql | postgres.TransactionSql,
  bucket: number,
): Promise<readonly string[]> {
  const rows = await sql`select record from ledger_documents where bucket = ${bucket} order by document`;
  return rows.map((row): string => row["record"]);
}

async function store(tx: postgres.TransactionSql, records: readonly DocumentRecord[]): Promise<void> {
  const gone = records.filter(({ copies }) => copies.length === 0).map(({ document }) => document);
  const kept = records.filter(({ copies }) => copies.length > 0);
  if (gone.length > 0) await tx`delete from ledger_documents where document = any(${bytesOf(gone)}::bytea[])`;
  if (kept.length === 0) return;
  const rows = kept.map((record) => ({
    document: `\\x${record.document}`,
    bucket: bucketOf(Buffer.from(record.document, "hex")),
    record: encodeRecord(record),
  }));
  await tx`
    insert into ledger_documents
    select * from json_populate_recordset(null::ledger_documents, ${JSON.stringify(rows)}::text::json)
    on conflict (document) do update set record = excluded.record`;
}

async function rehash(
  tx: postgres.TransactionSql,
  buckets: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Hash>> {
  const records = new Map<number, string[]>([...buckets].map((bucket) => [bucket, []]));
  for (const row of await tx`
    select bucket, record from ledger_documents where bucket = any(${[...buckets]}) order by bucket, document`)
    records.get(row["bucket"])?.push(row["record"]);
  const hashes = new Map([...records].map(([bucket, known]) => [bucket, bucketHash(known)]));
  const rows = [...hashes].map(([bucket, hash]) => ({
    bucket,
    hash: hexOf(hash),
  }));
  if (rows.length > 0)
    await tx`
      insert into ledger_buckets
      select * from json_populate_recordset(null::ledger_buckets, ${JSON.stringify(rows)}::text::json)
      on conflict (bucket) do update set hash = excluded.hash`;
  return hashes;
}

/** As Postgres reads an array of bytes. */
function bytesOf(hashes: Iterable<string>): string {
  return `{${Array.from(hashes, (hash) => `"\\\\x${hash}"`).join(",")}}`;
}
