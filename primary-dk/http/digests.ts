/** Routes of anti-entropy: what is planned for a target, the repairs of what differs, how the comparison goes. */
import { siteIdSchema } from "@kattegat/config/network.ts";
import {
  comparisonReportSchema,
  plannedCopiesRequestSchema,
  plannedRangesRequestSchema,
  repairsRequestSchema,
} from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { keepersOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { Hono } from "hono";
import { z } from "zod";
import { plannedCopies, plannedLines, plannedRanges } from "../digests/planned-answers.ts";
import { lastRepairs, writeRepairs } from "../digests/repairs.ts";
import { parseBytes, readBody } from "../documents/body.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { Primary } from "../primary.ts";
import type { OpenedPrimary, Variables } from "./app.ts";

/** The most faults at once with their longest ids and details; indexes and keys are less. */
const BODY_BYTES_MAX = 1_024 * 1_024;
const LISTED_MAX = 10_000;
const LISTED_DEFAULT = 50;

const listQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LISTED_MAX).default(LISTED_DEFAULT),
  site: siteIdSchema.optional(),
});

export function digestRoutes(app: Hono<Variables>, opened: OpenedPrimary): void {
  const bodyOf = async <T>(request: Request, schema: z.ZodType<T>): Promise<T> =>
    parseBytes(schema, await readBody(request.body, { bytesMax: BODY_BYTES_MAX }));
  app.post("/internal/digests/ranges", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, plannedRangesRequestSchema);
    return context.json(plannedRanges(opened(), asked));
  });
  app.post("/internal/digests/lines", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, plannedRangesRequestSchema);
    return context.json(await withPostgres(plannedLines(opened(), asked)));
  });
  app.post("/internal/digests/copies", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, plannedCopiesRequestSchema);
    return context.json(await withPostgres(plannedCopies(opened(), asked)));
  });
  app.post("/internal/digests/repairs", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, repairsRequestSchema);
    const primary = opened();
    assertTarget(primary, asked.site);
    const { writer, now, database } = primary;
    return context.json(await withPostgres(writeRepairs(asked, { sql: database.sql, writer, now })));
  });
  app.get("/internal/digests/repairs", keepersOnly, async (context) => {
    const { limit, site } = parseShape(listQuerySchema, context.req.query());
    const { sql } = opened().database;
    return context.json({ repairs: await withPostgres(lastRepairs(sql, { site: site ?? null, limit })) });
  });
  app.post("/internal/digests/report", keepersOnly, async (context) => {
    const { site, comparison } = await bodyOf(context.req.raw, comparisonReportSchema);
    const primary = opened();
    assertTarget(primary, site);
    primary.comparisons.set(site, { comparison, atMs: primary.now() });
    return context.body(null, 204);
  });
}

function assertTarget({ planned }: Primary, site: string): void {
  if (planned.treeOf(site) !== null) return;
  throw new KattegatError("bad_request", "Expected a target that the network file lists.", {
    errors: [{ pointer: "/site", detail: "this site is no running regional, edge or archive" }],
  });
}
