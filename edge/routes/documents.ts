/** Documents, batches, receipts on their way to the primary. */
import type { Context, Hono } from "hono";
import { mayPass, servedClasses } from "@kattegat/config/residency.ts";
import { DOCUMENT_LIMITS, documentIdSchema } from "@kattegat/protocol/documents.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { Edge } from "../app.ts";
import { readText, refuseDeclaredLength, requireMediaType } from "../http/body.ts";
import { callerOf } from "../http/caller.ts";

/** A write is one transaction; one that takes longer than this has lost its primary. */
const WRITE_MS_MAX = 30_000;
/** A batch lasts as long as its lines come; this bounds a connection that was forgotten. */
const BATCH_MS_MAX = 15 * 60_000;
const PASSED_ON = ["content-type", "etag", "link", "retry-after"] as const;

export function documentRoutes(app: Hono, edge: Edge): void {
  const carriesAll = Object.keys(edge.settings.network.classes).every((residency) =>
    mayPass(edge.settings.network, residency, edge.settings.zone),
  );

  app.put("/v1/documents/:id", async (context) => {
    await edge.admit(context, "write");
    requireMediaType(context.req.raw, ["application/json"]);
    const text = await readText(context.req.raw, { bytesMax: DOCUMENT_LIMITS.bodyBytesMax });
    if (!carriesAll) refuseForeign(edge, text);
    return forward(edge, context, {
      path: `/internal/documents/${idOf(context)}`,
      body: text,
      timeMs: WRITE_MS_MAX,
    });
  });
  app.get("/v1/documents/:id", async (context) => {
    await edge.admit(context, "search");
    return forward(edge, context, {
      path: `/internal/documents/${idOf(context)}`,
      body: null,
      timeMs: WRITE_MS_MAX,
    });
  });
  app.delete("/v1/documents/:id", async (context) => {
    await edge.admit(context, "write");
    return forward(edge, context, {
      path: `/internal/documents/${idOf(context)}`,
      body: null,
      timeMs: WRITE_MS_MAX,
    });
  });
  app.post("/v1/documents:batch", async (context) => {
    await edge.admit(context, "write");
    requireMediaType(context.req.raw, ["application/x-ndjson", "application/ndjson"]);
    if (!carriesAll) {
      throw new KattegatError(
        "residency_refused",
        "A batch may hold documents that this zone may not carry; send it to the host name of the zone eu.",
      );
    }
    return forward(edge, context, {
      path: "/internal/documents:batch",
      body: context.req.raw.body,
      timeMs: BATCH_MS_MAX,
    });
  });
  app.get("/v1/receipts/:id", async (context) => {
    await edge.admit(context, "write");
    return forward(edge, context, {
      path: `/internal/receipts/${encodeURIComponent(context.req.param("id"))}`,
      body: null,
      timeMs: WRITE_MS_MAX,
    });
  });
}

function idOf(context: Context): string {
  return encodeURIComponent(parseShape(documentIdSchema, context.req.param("id")));
}

/** A document of a class that may not pass through here goes no further; what does not parse is refused by the primary. */
function refuseForeign(edge: Edge, text: string): void {
  const residency = /"residency"\s*:\s*"([^"\\]{1,64})"/.exec(text)?.[1] ?? "";
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KattegatError("bad_json", "Expected a JSON body; it does not parse.", { cause });
  }
  const named =
    typeof value === "object" && value !== null && "residency" in value ? value.residency : residency;
  if (typeof named !== "string" || !Object.hasOwn(edge.settings.network.classes, named)) return;
  if (!mayPass(edge.settings.network, named, edge.settings.zone)) {
    throw new KattegatError(
      "residency_refused",
      `A document of class ${named} may not pass through the zone ${edge.settings.zone}.`,
    );
  }
}

async function forward(
  edge: Edge,
  context: Context,
  { path, body, timeMs }: { readonly path: string; readonly body: BodyInit | null; readonly timeMs: number },
): Promise<Response> {
  refuseDeclaredLength(context.req.raw, { bytesMax: Number.MAX_SAFE_INTEGER });
  const { served } = servedClasses(edge.settings.network, {
    zone: edge.settings.zone,
    callerCountry: callerOf(context.req.raw, { isLocal: edge.settings.isLocal }).country,
  });
  const ifMatch = context.req.header("if-match");
  const response = await edge.sites.send(edge.primary, {
    method: context.req.method,
    path,
    body,
    headers: {
      "content-type": context.req.header("content-type") ?? "application/json",
      "x-kattegat-zone": edge.settings.zone,
      "x-kattegat-classes": served.join(","),
      ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
    },
    signal: AbortSignal.timeout(timeMs),
    context: edge.requestContext(context),
  });
  const headers = new Headers();
  for (const name of PASSED_ON) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(response.body, { status: response.status, headers });
}
