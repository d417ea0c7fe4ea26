/** The documents of the record that a filter means. */
import { compileFilter } from "@kattegat/engine/filter/compile.ts";
import {
  SELECTION_SCANNED_MAX,
  type SelectionPage,
  type SelectionRequest,
} from "@kattegat/protocol/selection.ts";
import type { Primary } from "../primary.ts";
import { SEALED_STATE, payloadOf, sealedDocuments, stateOfRow } from "./state.ts";

/**
 * Resolves with those of the next documents by id that pass, with a search's filter and semantics.
 *
 * Metadata rests sealed, so each document is opened: there is no index to ask, and none is left out because a site is away.
 */
export async function selectDocuments(
  { database: { sql }, seals, pause }: Pick<Primary, "database" | "seals" | "pause">,
  { filter, collection, after }: SelectionRequest,
): Promise<SelectionPage> {
  const passes = compileFilter(filter);
  const rows = await sql`
    select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)}
    where d.id > ${after} ${collection === null ? sql`` : sql`and d.collection = ${collection}`}
    order by d.id limit ${SELECTION_SCANNED_MAX}`;
  await pause();
  const states = rows.map((row) => stateOfRow(row, seals));
  return {
    documents: states
      .filter((state) => passes({ id: state.id, payload: payloadOf(state) }))
      .map((state) => ({
        id: state.id,
        version: state.version,
        collection: state.collection,
        residency: state.residency,
        tier: state.tier,
      })),
    after: rows.length < SELECTION_SCANNED_MAX ? null : (states.at(-1)?.id ?? null),
    scanned: rows.length,
  };
}
