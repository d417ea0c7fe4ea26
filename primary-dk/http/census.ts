/** The route by which the operator learns what a change of the network file would move. */
import { OPERATOR, type Census } from "@kattegat/protocol/census.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Hono } from "hono";
import { takeCensus } from "../network/census.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { OpenedPrimary, Variables } from "./app.ts";

export function censusRoutes(app: Hono<Variables>, opened: OpenedPrimary): void {
  app.get("/internal/census", async (context) => {
    if (context.get("issuer") !== OPERATOR)
      throw new KattegatError(
        "forbidden",
        `Expected a token of ${OPERATOR}; one of ${context.get("issuer")} came.`,
      );
    const { database, applied } = opened();
    const { sequence } = applied.head.fence;
    const census: Census = { sequence, ...(await withPostgres(takeCensus(database.sql))) };
    return context.json(census);
  });
}
