/** Routes of the ledger of copies. */
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { LedgerCheckpoint, LedgerSites } from "@kattegat/protocol/ledger.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { Hono } from "hono";
import { z } from "zod";
import { withPostgres } from "../postgres/failure.ts";
import type { OpenedPrimary, Variables } from "./app.ts";
import { operatorOnly } from "@kattegat/protocol/hono/answers-only.ts";

/** Some two megabytes. */
const ENTRIES_MAX = 5_000;

const documentQuerySchema = z.strictObject({ document: documentIdSchema });
/** By place, or all of one document: some twenty for each of its moves. */
const entriesQuerySchema = z.strictObject({
  document: documentIdSchema.optional(),
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(ENTRIES_MAX).default(ENTRIES_MAX),
});

export function ledgerRoutes(app: Hono<Variables>, opened: OpenedPrimary): void {
  app.use("/internal/ledger/*", operatorOnly);
  app.get("/internal/ledger/checkpoint", async (context) => {
    const { ledger } = opened();
    const checkpoint = await withPostgres(ledger.checkpoint());
    if (checkpoint === null) throw nothing();
    const chain = Buffer.from(await withPostgres(ledger.chain(checkpoint.size))).toString("hex");
    const answer: LedgerCheckpoint = { ...checkpoint, chain, verifier_key: ledger.verifierKey };
    return context.json(answer);
  });
  app.get("/internal/ledger/proof", async (context) => {
    const { document } = parseShape(documentQuerySchema, context.req.query());
    const proof = await withPostgres(opened().ledger.prove(document));
    if (proof === null) throw nothing();
    return context.json(proof);
  });
  app.get("/internal/ledger/sites", async (context) => {
    const { document } = parseShape(documentQuerySchema, context.req.query());
    const answer: LedgerSites = { sites: [...(await withPostgres(opened().ledger.sites(document)))] };
    return context.json(answer);
  });
  /** One entry a line, as it was hashed. */
  app.get("/internal/ledger/entries", async (context) => {
    const query = parseShape(entriesQuerySchema, context.req.query());
    const entries = await withPostgres(opened().ledger.entries(query));
    const body = entries.map((entry) => `${entry}\n`).join("");
    return context.body(body, 200, { "content-type": "application/x-ndjson" });
  });
}

function nothing(): KattegatError {
  return new KattegatError("not_found", "The ledger has no entry yet: no document has been written.");
}
