/** Reads from Postgres what goes into a base. */
import { createPassageSpool, type PassageSpool } from "@kattegat/engine/cold/base/passage-spool.ts";
import type { BaseHit } from "@kattegat/engine/cold/base/parts.ts";
import type postgres from "postgres";
import { openPassage } from "../documents/passage-rows.ts";
import { sealedDocuments } from "../documents/state.ts";
import { KEY_COLUMNS, openHead, type DocumentSeals } from "../sealing/document-seals.ts";
import type { BaseOrder } from "./base-order.ts";
import { sourceOf, type BaseSource } from "./source.ts";
import { isStanding } from "./standing.ts";

/** Rows in memory at once: about 4 MB of vectors. */
const CURSOR_ROWS = 1_000;

export interface Standing {
  readonly spool: PassageSpool;
  readonly source: BaseSource;
}

/** Resolves with one snapshot. Titles and texts stay in Postgres, where hits get theirs from. */
export function readStanding(
  sql: postgres.Sql,
  {
    classes,
    dimensions,
    vectors,
    seals,
  }: Pick<BaseOrder, "classes" | "dimensions" | "vectors"> & { readonly seals: DocumentSeals },
): Promise<Standing> {
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    const source = await sourceOf(tx);
    const [count] = await tx`
      select count(*)::int as passages from documents d join passages p on p.document_id = d.id
      where ${isStanding(tx, classes)} and p.${tx(vectors)} is not null`;
    const hits: BaseHit[] = [];
    const texts = {
      add: (hit: BaseHit) => void hits.push(hit),
      text(number: number): BaseHit {
        const hit = hits[number];
        if (hit === undefined) throw new RangeError(`expected passage ${number}, there are ${hits.length}`);
        return hit;
      },
    };
    const spool = createPassageSpool({ dimensions, capacity: count?.["passages"] ?? 0, texts });
    const cursor = tx`
      select d.id, d.version, d.epoch, d.residency, d.collection, d.lang, d.published_at, d.head, p.ordinal, p.${tx(vectors)} as dense, p.sparse, ${tx(KEY_COLUMNS)}
      from ${sealedDocuments(tx)} join passages p on p.document_id = d.id
      where ${isStanding(tx, classes)} and p.${tx(vectors)} is not null order by d.id, p.ordinal`.cursor(
      CURSOR_ROWS,
    );
    let last: { readonly row: postgres.Row; readonly metadata: BaseHit["metadata"] } | null = null;
    for await (const rows of cursor) {
      for (const row of rows) {
        const key = seals.keyOf(row);
        // Passages of a document share what is the document's.
        if (last === null || last.row["id"] !== row["id"])
          last = { row, metadata: openHead(key, row["head"]).metadata };
        const { row: document, metadata } = last;
        spool.add({
          documentId: document["id"],
          version: document["version"],
          epoch: document["epoch"],
          residency: document["residency"],
          collection: document["collection"],
          title: "",
          text: "",
          lang: document["lang"],
          publishedAt: document["published_at"],
          metadata,
          ...openPassage(row, key),
        });
      }
    }
    return { spool, source };
  });
}
