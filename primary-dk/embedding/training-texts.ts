/** The passages that an embedding is trained from, as the system of record has them. */
import type postgres from "postgres";
import { z } from "zod";

/** Documents in memory at once; the largest have 4 MiB of text each. */
const CURSOR_DOCUMENTS = 50;

const rowSchema = z.object({
  text: z.string(),
  /** Start, end, own text of each passage. */
  places: z.array(z.tuple([z.int(), z.int(), z.string().nullable()])),
});

/** Yields every passage of documents of these classes, by id and ordinal: within one snapshot the same each time. */
export async function* trainingTexts(
  tx: postgres.TransactionSql,
  classes: readonly string[],
): AsyncGenerator<string> {
  const cursor = tx`
    select d.text, p.places from documents d cross join lateral (
      select json_agg(json_build_array(start_offset, end_offset, own_text) order by ordinal) as places
      from passages where document_id = d.id
    ) p
    where d.residency = any(${[...classes]}) and p.places is not null order by d.id`.cursor(CURSOR_DOCUMENTS);
  for await (const rows of cursor)
    for (const row of rows) {
      const { text, places } = rowSchema.parse(row);
      for (const [start, end, ownText] of places) yield ownText ?? text.slice(start, end);
    }
}
