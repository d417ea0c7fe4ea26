/** The passages of documents in a transaction. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type postgres from "postgres";
import { encodeCopy } from "../postgres/copy-rows.ts";
import type { Effect } from "./operation.ts";
import type { Placements } from "./placements.ts";
import { bytesOfFloats, bytesOfSparse, floatsOfBytes, sparseOfBytes } from "./vectors.ts";

/** Where the vectors of the model that serves are, where those of the one that is being prepared. */
export type VectorColumn = "dense" | "dense_next";

export interface LoadedPassage {
  readonly ordinal: number;
  readonly dense: Float32Array;
  readonly sparse: SparseVector;
}

/** Replaces the passages of written documents, removes those of deleted ones; resolves with the sparse vectors that are no more. */
export async function replacePassages(
  tx: postgres.TransactionSql,
  effects: readonly Effect[],
): Promise<SparseVector[]> {
  const ended = effects.flatMap(({ before, content, kind }) =>
    before !== null && (content !== null || kind === "delete") ? [before.id] : [],
  );
  const removed =
    ended.length === 0
      ? []
      : await tx`delete from passages where document_id = any(${ended}) returning sparse`;
  const rows = effects.flatMap(({ content }) =>
    (content?.passages ?? []).map((passage) => [
      content?.value.id ?? "",
      passage.ordinal,
      passage.start,
      passage.end,
      passage.ownText,
      passage.heading,
      bytesOfFloats(passage.dense),
      passage.denseNext === null ? null : bytesOfFloats(passage.denseNext),
      bytesOfSparse(passage.sparse),
    ]),
  );
  if (rows.length > 0) {
    const stream =
      await tx`copy passages (document_id, ordinal, start_offset, end_offset, own_text, heading, dense, dense_next, sparse) from stdin (format binary)`.writable();
    await new Promise<void>((resolve, reject) => {
      stream.once("error", reject).once("finish", () => resolve());
      stream.end(encodeCopy(rows));
    });
  }
  return removed.map((row) => sparseOfBytes(row["sparse"]));
}

/** Resolves with the passages of documents that move to this site. */
export async function loadPassages(
  tx: postgres.TransactionSql,
  effects: readonly Effect[],
  { placements, site }: { readonly placements: Placements; readonly site: string },
): Promise<Map<string, LoadedPassage[]>> {
  const arriving = effects.flatMap(({ before, after, content }) =>
    before !== null &&
    after !== null &&
    content === null &&
    placements.holders(after).includes(site) &&
    !placements.holders(before).includes(site)
      ? [after.id]
      : [],
  );
  return passagesOf(tx, arriving);
}

/** Resolves with the passages of each of the documents that have a vector in the column, none for a document that is gone. */
export async function passagesOf(
  sql: postgres.Sql | postgres.TransactionSql,
  ids: readonly string[],
  column: VectorColumn = "dense",
): Promise<Map<string, LoadedPassage[]>> {
  const loaded = new Map<string, LoadedPassage[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return loaded;
  for (const row of await sql`
    select document_id, ordinal, ${sql(column)} as dense, sparse from passages
    where document_id = any(${[...ids]}) and ${sql(column)} is not null order by document_id, ordinal`) {
    loaded.get(row["document_id"])?.push({
      ordinal: row["ordinal"],
      dense: floatsOfBytes(row["dense"]),
      sparse: sparseOfBytes(row["sparse"]),
    });
  }
  return loaded;
}
