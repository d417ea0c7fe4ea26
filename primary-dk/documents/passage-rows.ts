/** The passages of documents in a transaction. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type postgres from "postgres";
import { encodeCopy, type CopyField } from "../postgres/copy-rows.ts";
import type { Effect } from "./operation.ts";
import type { PreparedPassage } from "./passages.ts";
import type { Placements } from "./placements.ts";
import {
  KEY_COLUMNS,
  openDense,
  openSparse,
  openText,
  sealDense,
  sealSparse,
  sealText,
  type DataKey,
  type DocumentSeals,
} from "../sealing/document-seals.ts";

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
  { seals, keys }: { readonly seals: DocumentSeals; readonly keys: ReadonlyMap<string, DataKey> },
): Promise<SparseVector[]> {
  const ended = effects.flatMap(({ before, content, kind }) =>
    before !== null && (content !== null || kind === "delete") ? [before.id] : [],
  );
  const removed =
    ended.length === 0
      ? []
      : await tx`
          delete from passages p using document_keys k
          where p.document_id = any(${ended}) and k.document_id = p.document_id
          returning p.document_id, p.ordinal, p.sparse, ${tx(KEY_COLUMNS)}`;
  const rows = effects.flatMap(({ content }) => {
    const key = content === null ? undefined : keys.get(content.value.id);
    return content === null || key === undefined
      ? []
      : content.passages.map((passage) => sealedRow(key, passage));
  });
  if (rows.length > 0) {
    const stream =
      await tx`copy passages (document_id, ordinal, start_offset, end_offset, own_text, heading, dense, dense_next, sparse) from stdin (format binary)`.writable();
    await new Promise<void>((resolve, reject) => {
      stream.once("error", reject).once("finish", () => resolve());
      stream.end(encodeCopy(rows));
    });
  }
  return removed.map((row) => openSparse(seals.keyOf(row), row["ordinal"], row["sparse"]));
}

function sealedRow(key: DataKey, passage: PreparedPassage): CopyField[] {
  const { ordinal, start, end, ownText, heading, dense, denseNext, sparse } = passage;
  return [
    key.documentId,
    ordinal,
    start,
    end,
    ownText === null ? null : sealText(key, `own ${ordinal}`, ownText),
    heading === null ? null : sealText(key, `heading ${ordinal}`, heading),
    sealDense(key, ordinal, dense),
    denseNext === null ? null : sealDense(key, ordinal, denseNext),
    sealSparse(key, ordinal, sparse),
  ];
}

/** Resolves with the passages of documents that move to this site. */
export async function loadPassages(
  tx: postgres.TransactionSql,
  effects: readonly Effect[],
  {
    placements,
    site,
    seals,
  }: { readonly placements: Placements; readonly site: string; readonly seals: DocumentSeals },
): Promise<Map<string, LoadedPassage[]>> {
  const arriving = effects.flatMap(({ before, after, content, repaired }) =>
    before !== null &&
    after !== null &&
    content === null &&
    placements.holders(after).includes(site) &&
    (repaired === true || !before.held.includes(site))
      ? [after.id]
      : [],
  );
  return passagesOf(tx, arriving, { seals });
}

/** Resolves with the passages of each of the documents that have a vector in the column, none for a document that is gone. */
export async function passagesOf(
  sql: postgres.Sql | postgres.TransactionSql,
  ids: readonly string[],
  { seals, column = "dense" }: { readonly seals: DocumentSeals; readonly column?: VectorColumn },
): Promise<Map<string, LoadedPassage[]>> {
  const loaded = new Map<string, LoadedPassage[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return loaded;
  for (const row of await sql`
    select p.document_id, p.ordinal, p.${sql(column)} as dense, p.sparse, ${sql(KEY_COLUMNS)}
    from passages p join document_keys k on k.document_id = p.document_id
    where p.document_id = any(${[...ids]}) and p.${sql(column)} is not null order by p.document_id, p.ordinal`)
    loaded.get(row["document_id"])?.push(openPassage(row, seals.keyOf(row)));
  return loaded;
}

/** Of a row with the ordinal and both vectors. */
export function openPassage(row: postgres.Row, key: DataKey): LoadedPassage {
  const ordinal: number = row["ordinal"];
  return {
    ordinal,
    dense: openDense(key, ordinal, row["dense"]),
    sparse: openSparse(key, ordinal, row["sparse"]),
  };
}

/** The passage as it stands in the document's text, or its own. */
export function passageText(
  row: postgres.Row,
  { key, text }: { readonly key: DataKey; readonly text: string },
): string {
  const { ordinal, start_offset: start, end_offset: end } = row;
  const own: Uint8Array | null = row["own_text"];
  return own === null ? text.slice(start, end) : openText(key, `own ${ordinal}`, own);
}
