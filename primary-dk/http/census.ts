/** The route by which the operator learns what a change of the network file would move. */
import type { Census } from "@kattegat/protocol/census.ts";
import type { Hono } from "hono";
import { takeCensus } from "../network/census.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { OpenedPrimary, Variables } from "./app.ts";
import { operatorOnly } from "@kattegat/protocol/hono/answers-only.ts";

export function censusRoutes(app: Hono<Variables>, opened: OpenedPrimary): void {
  app.get("/internal/census", operatorOnly, async (context) => {
    const { database, applied } = opened();
    const { sequence } = applied.head.fence;
    const census: Census = { sequence, ...(await withPostgres(takeCensus(database.sql))) };
    return context.json(census);
  });
}
