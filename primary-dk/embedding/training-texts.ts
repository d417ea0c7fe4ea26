/** The passages that an embedding is trained from, as the system of record has them. */
import type postgres from "postgres";
import { z } from "zod";
import { passageText } from "../documents/passage-rows.ts";
import { sealedDocuments } from "../documents/state.ts";
import { KEY_COLUMNS, openText, type DocumentSeals } from "../sealing/document-seals.ts";

/** Documents in memory at once; the largest have 4 MiB of text each. */
const CURSOR_DOCUMENTS = 50;

/** Places of passages, own texts in hexadecimal. */
const placesSchema = z.array(
  z.object({
    ordinal: z.int(),
    start_offset: z.int(),
    end_offset: z.int(),
    own_text: z
      .string()
      .transform((hex) => Buffer.from(hex, "hex"))
      .nullable(),
  }),
);

/** Yields every passage of documents of these classes, by id and ordinal: within one snapshot the same each time. */
export async function* trainingTexts(
  tx: postgres.TransactionSql,
  { classes, seals }: { readonly classes: readonly string[]; readonly seals: DocumentSeals },
): AsyncGenerator<string> {
  const cursor = tx`
    select d.id, d.body, p.places, ${tx(KEY_COLUMNS)} from ${sealedDocuments(tx)} cross join lateral (
      select json_agg(json_build_object(
        'ordinal', ordinal, 'start_offset', start_offset, 'end_offset', end_offset, 'own_text', encode(own_text, 'hex')
      ) order by ordinal) as places
      from passages where document_id = d.id
    ) p
    where d.residency = any(${[...classes]}) and p.places is not null order by d.id`.cursor(CURSOR_DOCUMENTS);
  for await (const rows of cursor)
    for (const row of rows) {
      const key = seals.keyOf(row);
      const text = openText(key, "body", row["body"]);
      for (const place of placesSchema.parse(row["places"])) yield passageText(place, { key, text });
    }
}
