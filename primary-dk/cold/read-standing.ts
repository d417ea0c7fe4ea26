/** Reads from Postgres what goes into a base. */
import { createPassageSpool, type PassageSpool } from "@kattegat/engine/cold/base/passage-spool.ts";
import type { BaseHit } from "@kattegat/engine/cold/base/parts.ts";
import type postgres from "postgres";
import { floatsOfBytes, sparseOfBytes } from "../documents/vectors.ts";
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
  { classes, dimensions, vectors }: Pick<BaseOrder, "classes" | "dimensions" | "vectors">,
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
      select d.id, d.version, d.epoch, d.residency, d.collection, d.lang, d.published_at, d.metadata, p.ordinal, p.${tx(vectors)} as dense, p.sparse
      from documents d join passages p on p.document_id = d.id
      where ${isStanding(tx, classes)} and p.${tx(vectors)} is not null order by d.id, p.ordinal`.cursor(
      CURSOR_ROWS,
    );
    let last: postgres.Row | null = null;
    for await (const rows of cursor) {
      for (const row of rows) {
        // Passages of a document share what is the document's.
        const document: postgres.Row = last !== null && last["id"] === row["id"] ? last : row;
        last = document;
        spool.add({
          documentId: document["id"],
          ordinal: row["ordinal"],
          version: document["version"],
          epoch: document["epoch"],
          residency: document["residency"],
          collection: document["collection"],
          title: "",
          text: "",
          lang: document["lang"],
          publishedAt: document["published_at"],
          metadata: document["metadata"],
          dense: floatsOfBytes(row["dense"]),
          sparse: sparseOfBytes(row["sparse"]),
        });
      }
    }
    return { spool, source };
  });
}
