/** Routes of searches. */
import { SEARCH_LIMITS } from "@kattegat/protocol/search.ts";
import { hydrateRequestSchema, siteSearchRequestSchema } from "@kattegat/protocol/site-search.ts";
import type { Hono } from "hono";
import { parseBytes, readBody } from "../documents/body.ts";
import { hydratePassages, searchSite, type SearchOptions } from "../search/search.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { OpenedPrimary, Variables } from "./app.ts";
import type { Metrics } from "./metrics.ts";

export function searchRoutes(app: Hono<Variables>, opened: OpenedPrimary, metrics: Metrics): void {
  const options = (): SearchOptions => {
    const { network, site, memory, applied, contents } = opened();
    return { network, site, index: () => memory().index, log: applied, contents };
  };
  app.post("/internal/search", async (context) => {
    const parts = options();
    const request = parseBytes(
      siteSearchRequestSchema,
      await readBody(context.req.raw.body, { bytesMax: SEARCH_LIMITS.bodyBytesMax }),
    );
    const done = metrics.searchSeconds.startTimer();
    const response = await withPostgres(searchSite(request, parts, context.req.raw.signal));
    done();
    return context.json(response);
  });
  app.post("/internal/passages", async (context) => {
    const parts = options();
    const request = parseBytes(
      hydrateRequestSchema,
      await readBody(context.req.raw.body, { bytesMax: SEARCH_LIMITS.bodyBytesMax * 2 }),
    );
    return context.json(await withPostgres(hydratePassages(request, parts)));
  });
}
