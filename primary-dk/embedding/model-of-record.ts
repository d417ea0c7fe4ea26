/** The one model whose vectors rest in Postgres. */
import type { Network } from "@kattegat/config/network.ts";
import type postgres from "postgres";

/** The network file names another model than the one that made the vectors which are there. */
export class ModelMismatchError extends Error {
  override readonly name = "ModelMismatchError";
}

/**
 * Resolves when every vector of the log is known to be of the model that the network file names; the first start notes it.
 *
 * A log without a change may change its model: no target has had a vector of the other one.
 *
 * @throws {ModelMismatchError} saying which models meet, and what to do.
 */
export async function assertModelOfRecord(
  sql: postgres.Sql,
  { model, dimensions }: Network["embedding"],
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`insert into embedding_model (model, dimensions) values (${model}, ${dimensions}) on conflict do nothing`;
    const [row] = await tx`
      select m.model, m.dimensions, h.sequence = 0 as empty from embedding_model m, log_head h for update of m`;
    if (row === undefined) throw new TypeError("expected one row in embedding_model and one in log_head");
    if (row["model"] === model && row["dimensions"] === dimensions) return;
    if (row["empty"] !== true)
      throw new ModelMismatchError(
        `The data was embedded by ${named(row["model"], row["dimensions"])}, the network file names ${named(model, dimensions)}. ` +
          `Name the first again, or start on a new data folder and database, and ingest the documents there.`,
      );
    await tx`update embedding_model set model = ${model}, dimensions = ${dimensions}`;
  });
}

/** Names of our own models say their dimensions. */
function named(model: string, dimensions: number): string {
  return model.includes(String(dimensions)) ? model : `${model} (${dimensions} dimensions)`;
}
