/** `/v1/search` in its three forms. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import {
  SEARCH_LIMITS,
  searchRequestSchema,
  type SearchRequest,
  type SearchResponse,
} from "@kattegat/protocol/search.ts";
import type { Context, Hono } from "hono";
import { linkOf, type Edge } from "../edge.ts";
import { parseJsonText, readText, requireMediaType } from "../http/body.ts";
import { callerOf } from "../http/caller.ts";
import { allowOnly } from "../http/methods.ts";
import { searchOfParameters } from "../http/search-parameters.ts";
import type { SearchOptions } from "../search/answer.ts";
import { search } from "../search/search.ts";
import { streamSearch } from "../search/stream.ts";

/** The primary hears of use when there is time; a report that waits longer is dropped. */
const USAGE_MS_MAX = 3_000;

export function searchRoutes(app: Hono, edge: Edge): void {
  app.use("/v1/search", async (context, next) => {
    // What a caller may see depends on where the caller is, so no cache between may keep it.
    context.header("cache-control", "private, no-store");
    await next();
  });
  app.post("/v1/search", async (context) => {
    await edge.admit(context, "search");
    return answered(edge, context, await bodyOf(context.req.raw));
  });
  app.get("/v1/search", async (context) => {
    await edge.admit(context, "search");
    return answered(edge, context, requestOf(searchOfParameters(new URL(context.req.url).search)));
  });
  app.post("/v1/search:stream", async (context) => {
    await edge.admit(context, "search");
    const request = await bodyOf(context.req.raw);
    const stream = streamSearch(
      async (improved) => {
        const { response } = await search(edge, request, { ...optionsOf(edge, context), improved });
        account(edge, context, response);
        return response;
      },
      { requestId: edge.requestContext(context).requestId, report: edge.report },
    );
    context.executionCtx.waitUntil(stream.done);
    context.header("content-type", "application/x-ndjson");
    context.header("cache-control", "private, no-store");
    return context.body(stream.lines);
  });
  allowOnly(app, "/v1/search", ["GET", "POST"]);
  allowOnly(app, "/v1/search:stream", ["POST"]);
}

async function bodyOf(request: Request): Promise<SearchRequest> {
  requireMediaType(request, ["application/json"]);
  return requestOf(parseJsonText(await readText(request, { bytesMax: SEARCH_LIMITS.bodyBytesMax })));
}

/** A bad filter or vector has a code of its own, so that a client can tell them apart. */
function requestOf(value: unknown): SearchRequest {
  try {
    return parseShape(searchRequestSchema, value);
  } catch (error) {
    if (!(error instanceof KattegatError)) throw error;
    const pointer = error.errors[0]?.pointer ?? "";
    const code = /^\/filter(\/|$)/.test(pointer)
      ? "bad_filter"
      : /^\/vector(\/|$)/.test(pointer)
        ? "bad_vector"
        : null;
    if (code === null) throw error;
    throw new KattegatError(code, error.message, { errors: error.errors, cause: error });
  }
}

function optionsOf(edge: Edge, context: Context): SearchOptions {
  return {
    caller: callerOf(context.req.raw, { isLocal: edge.settings.isLocal }),
    context: edge.requestContext(context),
    defer: (work) => context.executionCtx.waitUntil(work),
  };
}

async function answered(edge: Edge, context: Context, request: SearchRequest): Promise<Response> {
  const { response, alternate } = await search(edge, request, optionsOf(edge, context));
  if (alternate !== null) context.header("link", linkOf(alternate, context));
  account(edge, context, response);
  return context.json(response);
}

/** Counts what was answered, for the metrics here, for the tiers at the primary. */
function account(edge: Edge, context: Context, response: SearchResponse): void {
  if (response.partial) edge.metrics.count("kattegat_edge_partial_answers_total", {});
  for (const { tier, site, status, cache, took_ms } of response.tiers) {
    edge.metrics.count("kattegat_edge_tier_reports_total", { site, tier, status, cache });
    edge.metrics.observe("kattegat_edge_tier_seconds", { site, tier }, took_ms / 1_000);
  }
  edge.usage.count(response.hits.map(({ document_id }) => document_id));
  const requestContext = edge.requestContext(context);
  const sent = edge.usage.flush(async (report) => {
    const answer = await edge.sites.send(edge.primary, {
      method: "POST",
      path: "/internal/usage",
      body: JSON.stringify(report),
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(USAGE_MS_MAX),
      context: requestContext,
    });
    await answer.body?.cancel();
  });
  context.executionCtx.waitUntil(sent);
}
