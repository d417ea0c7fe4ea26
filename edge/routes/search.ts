/** `/v1/search` in its three forms. */
import type { Context, Hono } from "hono";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import { SEARCH_LIMITS, searchRequestSchema, type SearchRequest } from "@kattegat/protocol/search.ts";
import type { Edge } from "../app.ts";
import { readText, requireMediaType } from "../http/body.ts";
import { callerOf } from "../http/caller.ts";
import { searchOfParameters } from "../http/search-parameters.ts";
import { search, type Answer } from "../search/search.ts";

export function searchRoutes(app: Hono, edge: Edge): void {
  app.post("/v1/search", async (context) => {
    await edge.admit(context, "search");
    return answered(context, await run(edge, context, await bodyOf(context.req.raw)));
  });
  app.get("/v1/search", async (context) => {
    await edge.admit(context, "search");
    return answered(
      context,
      await run(edge, context, requestOf(searchOfParameters(new URL(context.req.url).searchParams))),
    );
  });
  app.post("/v1/search:stream", async (context) => {
    await edge.admit(context, "search");
    const request = await bodyOf(context.req.raw);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    let shown = "";
    const write = async (type: "hits" | "final", response: Answer["response"]): Promise<void> => {
      const ranking = response.hits.map(({ passage_id }) => passage_id).join(" ");
      if (type === "hits" && ranking === shown) return;
      shown = ranking;
      await writer.write(encoder.encode(`${JSON.stringify({ type, ...response })}\n`));
    };
    const caller = callerOf(context.req.raw, { isLocal: edge.settings.isLocal });
    const work = search(edge, request, {
      caller,
      context: edge.requestContext(context),
      improved: (response) => write("hits", response),
    })
      .then(({ response }) => write("final", response))
      .then(() => writer.close())
      .catch((error: unknown) => writer.abort(error));
    context.executionCtx.waitUntil(work);
    return context.newResponse(readable, 200, { "content-type": "application/x-ndjson" });
  });
}

async function bodyOf(request: Request): Promise<SearchRequest> {
  requireMediaType(request, ["application/json"]);
  const text = await readText(request, { bytesMax: SEARCH_LIMITS.bodyBytesMax });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KattegatError("bad_json", "Expected a JSON body; it does not parse.", { cause });
  }
  return requestOf(value);
}

/** A bad filter or vector has a code of its own, so that a client can tell them apart. */
function requestOf(value: unknown): SearchRequest {
  try {
    return parseShape(searchRequestSchema, value);
  } catch (error) {
    const pointer = error instanceof KattegatError ? (error.errors[0]?.pointer ?? "") : "";
    const code = pointer.startsWith("/filter")
      ? "bad_filter"
      : pointer.startsWith("/vector")
        ? "bad_vector"
        : null;
    if (code === null || !(error instanceof KattegatError)) throw error;
    throw new KattegatError(code, error.message, { errors: error.errors });
  }
}

function run(edge: Edge, context: Context, request: SearchRequest): Promise<Answer> {
  return search(edge, request, {
    caller: callerOf(context.req.raw, { isLocal: edge.settings.isLocal }),
    context: edge.requestContext(context),
  });
}

function answered(context: Context, { response, alternate }: Answer): Response {
  if (alternate !== null)
    context.header("link", `<${alternate}${new URL(context.req.url).pathname}>; rel="alternate"`);
  return context.json(response);
}
