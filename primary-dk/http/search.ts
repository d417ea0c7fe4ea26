/** Routes of searches. */
import { SEARCH_LIMITS } from "@kattegat/protocol/search.ts";
import { hydrateRequestSchema, siteSearchRequestSchema } from "@kattegat/protocol/site-search.ts";
import type { Hono } from "hono";
import { parseBytes, readBody } from "../documents/body.ts";
import type { Primary } from "../primary.ts";
import { hydratePassages, searchSite, type Searchable, type SearchOptions } from "../search/search.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { OpenedPrimary, Variables } from "./app.ts";
import type { Metrics } from "./metrics.ts";

function searchableIn({ network, memory, next }: Primary): readonly Searchable[] {
  const { model, dimensions } = network.embedding;
  const serving = { model, dimensions, index: memory().index };
  const index = next?.ready ?? null;
  return next === null || index === null ? [serving] : [serving, { ...next.model, index }];
}

export function searchRoutes(app: Hono<Variables>, opened: OpenedPrimary, metrics: Metrics): void {
  const options = (): SearchOptions => {
    const primary = opened();
    const { network, site, applied, contents } = primary;
    return { network, site, searchable: () => searchableIn(primary), log: applied, contents };
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
