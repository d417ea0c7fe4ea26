/** The models whose vectors rest in Postgres: the one that serves, the one that is being prepared. */
import type { Model } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import { z } from "zod";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { embeddingModel, embeddingNext } from "../postgres/schema.ts";

/** The network file names another model than the one that made the vectors which are there. */
export class ModelMismatchError extends Error {
  override readonly name = "ModelMismatchError";
}

type Named = Pick<Model, "model" | "dimensions">;

/** What a start has done to the vectors in Postgres. */
export interface ModelChange {
  /** The model that was prepared and serves from now on; its predecessor's vectors are gone. */
  readonly adopted: string | null;
  /** The model whose preparation was given up. */
  readonly abandoned: string | null;
  /** The model whose preparation begins. */
  readonly begun: string | null;
}

/**
 * Resolves when every vector of the log is known to be of the models that the network file names; the first start notes the one that serves.
 *
 * A model that was prepared whole, and is named as the one that serves, takes the place of its predecessor in one transaction.
 * A log without a change may change its model: no target has had a vector of the other one.
 *
 * @throws {ModelMismatchError} saying which models meet, and what to do.
 */
export async function settleModels(
  sql: postgres.Sql,
  { next, ...serving }: Network["embedding"],
): Promise<ModelChange> {
  return await sql.begin(async (tx) => {
    await tx`insert into embedding_model (model, dimensions) values (${serving.model}, ${serving.dimensions}) on conflict do nothing`;
    const record = await recordOf(tx);
    const adopted = isSame(record.serving, serving) ? null : await replace(tx, record, serving);
    const prepared = adopted === null ? record.next : null;
    const isKept = prepared !== null && next !== undefined && isSame(prepared, next);
    if (prepared !== null && !isKept) await abandon(tx);
    const begun = next === undefined || isKept ? null : next.model;
    if (next !== undefined && begun !== null) await begin(tx, next);
    return { adopted, abandoned: isKept ? null : (prepared?.model ?? null), begun };
  });
}

/**
 * Resolves with whether vectors of a model that is gone have left the disk: a dropped column stays in the pages until they are rewritten.
 *
 * Nobody may read or write passages meanwhile, so it is done before the first search.
 */
export async function rewriteWhenDue(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql`select rewrite_due from embedding_model`;
  if (row?.["rewrite_due"] !== true) return false;
  await sql.unsafe("vacuum (full, analyze) passages");
  await sql`update embedding_model set rewrite_due = false`;
  return true;
}

const servingRow = rowSchema<typeof embeddingModel.$inferSelect>()({
  model: z.string(),
  dimensions: z.int(),
});
const nextRow = rowSchema<typeof embeddingNext.$inferSelect>()({
  model: z.string(),
  dimensions: z.int(),
  whole_at: sequenceSchema.nullable(),
});

interface ModelRecord {
  readonly serving: Named;
  readonly next: (Named & { readonly whole_at: string | null }) | null;
  readonly isLogEmpty: boolean;
}

async function recordOf(tx: postgres.TransactionSql): Promise<ModelRecord> {
  const [serving] = checkedRows(
    servingRow,
    await tx`select ${tx(columnsOf(servingRow))} from embedding_model for update`,
  );
  const [next] = checkedRows(
    nextRow,
    await tx`select ${tx(columnsOf(nextRow))} from embedding_next for update`,
  );
  const [head] = await tx`select sequence = 0 as empty from log_head`;
  if (serving === undefined || head === undefined)
    throw new TypeError("expected one row in embedding_model and one in log_head");
  return { serving, next: next ?? null, isLogEmpty: head["empty"] === true };
}

/** Resolves with the model that was adopted, null when there was nothing to adopt it for. */
async function replace(
  tx: postgres.TransactionSql,
  { serving, next, isLogEmpty }: ModelRecord,
  wanted: Named,
): Promise<string | null> {
  if (isLogEmpty) {
    await tx`update embedding_model set model = ${wanted.model}, dimensions = ${wanted.dimensions}`;
    return null;
  }
  const meeting = `The data was embedded by ${named(serving)}, the network file names ${named(wanted)}. `;
  if (next === null || !isSame(next, wanted))
    throw new ModelMismatchError(
      `${meeting}Name the first again with the other one as its next, and wait until kattegat embedding status says that it is ready; ` +
        "or start on a new data folder and database, and ingest the documents there.",
    );
  if (next.whole_at === null || !(await isWhole(tx)))
    throw new ModelMismatchError(
      `${meeting}The second is not prepared yet: ${await progress(tx)}. ` +
        "Name the first again with it as its next, and wait until kattegat embedding status says that it is ready.",
    );
  await adopt(tx, { from: serving, to: next });
  return next.model;
}

/** What sites have told of their copies of a model. */
const MODEL_TABLES = ["targets", "refused_copies"] as const;

/** A column changes its name, however many passages there are; that none lacks a vector is checked by Postgres. */
async function adopt(
  tx: postgres.TransactionSql,
  { from, to }: { readonly from: Named; readonly to: Named },
): Promise<void> {
  await tx.unsafe(`alter table passages drop column dense`);
  await tx.unsafe(`alter table passages rename column dense_next to dense`);
  await tx.unsafe(`alter table passages alter column dense set not null`);
  await tx.unsafe(DROP_INDEXES);
  await addColumn(tx);
  await tx`update embedding_model set model = ${to.model}, dimensions = ${to.dimensions}, rewrite_due = true`;
  await tx`delete from embedding_next`;
  for (const table of MODEL_TABLES) await tx`delete from ${tx(table)} where model = ${from.model}`;
}

async function abandon(tx: postgres.TransactionSql): Promise<void> {
  await tx.unsafe(`alter table passages drop column dense_next`);
  await tx.unsafe(DROP_INDEXES);
  await addColumn(tx);
  await tx`update embedding_model set rewrite_due = true`;
  for (const table of MODEL_TABLES)
    await tx`delete from ${tx(table)} where model in (select model from embedding_next)`;
  await tx`delete from embedding_next`;
}

async function begin(tx: postgres.TransactionSql, { model, dimensions }: Named): Promise<void> {
  await tx`insert into embedding_next (model, dimensions, embedded_to) values (${model}, ${dimensions}, 0)`;
  await tx.unsafe(`create index documents_carried on documents (carried)`);
  await tx.unsafe(`create index passages_lacking on passages (document_id) where dense_next is null`);
}

/** Documents are embedded in the order in which the log carries them; without a model to come nothing reads them so. */
const DROP_INDEXES = `drop index if exists documents_carried, passages_lacking`;

async function addColumn(tx: postgres.TransactionSql): Promise<void> {
  await tx.unsafe(`alter table passages add column dense_next bytea`);
  await tx.unsafe(`alter table passages alter column dense_next set storage external`);
}

/** A document may have been written while the model to come could not embed it. */
async function isWhole(tx: postgres.TransactionSql): Promise<boolean> {
  const [row] = await tx`select exists (select from passages where dense_next is null) as lacks`;
  return row?.["lacks"] !== true;
}

async function progress(tx: postgres.TransactionSql): Promise<string> {
  const [row] = await tx`select count(dense_next)::int as embedded, count(*)::int as passages from passages`;
  return `${row?.["embedded"]} of ${row?.["passages"]} passages are embedded`;
}

function isSame(one: Named, other: Named): boolean {
  return one.model === other.model && one.dimensions === other.dimensions;
}

/** Names of our own models say their dimensions. */
function named({ model, dimensions }: Named): string {
  return model.includes(String(dimensions)) ? model : `${model} (${dimensions} dimensions)`;
}
