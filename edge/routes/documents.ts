/** Documents, batches, receipts on their way to the primary. */
import { mayPass } from "@kattegat/config/residency.ts";
import { DOCUMENT_LIMITS, documentIdSchema, receiptIdSchema } from "@kattegat/protocol/documents.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parsePathPart } from "@kattegat/protocol/parse.ts";
import type { Context, Hono } from "hono";
import { createBatchGate } from "../documents/batch-gate.ts";
import { createBatchTally } from "../documents/batch-tally.ts";
import { forward } from "../documents/forward.ts";
import type { Edge } from "../edge.ts";
import { parseJsonText, readText, requireMediaType } from "../http/body.ts";
import { allowOnly } from "../http/methods.ts";

/** A write is one transaction; one that takes longer than this has lost its primary. */
const WRITE_MS_MAX = 15_000;
/** A read is one row by its key; a caller who waits longer than this asks again. */
const READ_MS_MAX = 5_000;
/** A batch lasts as long as its lines come; this bounds a connection that was forgotten. */
const BATCH_MS_MAX = 15 * 60_000;

export function documentRoutes(app: Hono, edge: Edge): void {
  const { network, zone } = edge.settings;
  const isCarried = (residency: string): boolean =>
    !Object.hasOwn(network.classes, residency) || mayPass(network, residency, zone);
  const carriesAll = Object.keys(network.classes).every(isCarried);
  const refusal = (residency: string): string =>
    `A document of class ${residency} may not pass through the zone ${zone}.`;

  app.put("/v1/documents/:id", async (context) => {
    await edge.admit(context, "write");
    const path = `/internal/documents/${idOf(context)}`;
    requireMediaType(context.req.raw, ["application/json"]);
    const text = await readText(context.req.raw, { bytesMax: DOCUMENT_LIMITS.bodyBytesMax });
    const residency = carriesAll ? null : residencyIn(text);
    if (residency !== null && !isCarried(residency)) {
      edge.linkAlternate(context);
      throw new KattegatError("residency_refused", refusal(residency), {
        errors: [
          { pointer: "/residency", detail: `expected a class that may pass through the zone ${zone}` },
        ],
      });
    }
    return forward(edge, context, { path, body: text, timeMs: WRITE_MS_MAX });
  });
  app.get("/v1/documents/:id", async (context) => {
    await edge.admit(context, "search");
    return forward(edge, context, {
      path: `/internal/documents/${idOf(context)}`,
      body: null,
      timeMs: READ_MS_MAX,
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
    const request = { path: "/internal/documents:batch", timeMs: BATCH_MS_MAX };
    const tally = createBatchTally(context.req.raw.body ?? new Blob([]).stream());
    if (carriesAll) return forward(edge, context, { ...request, body: tally.lines, results: tally.results });
    edge.linkAlternate(context);
    const gate = createBatchGate({ mayPass: isCarried, refusal });
    return forward(edge, context, {
      ...request,
      body: tally.lines.pipeThrough(gate.lines),
      results: (answer) => tally.results(answer.pipeThrough(gate.results)),
    });
  });
  app.get("/v1/receipts/:id", async (context) => {
    await edge.admit(context, "write");
    const id = parsePathPart(receiptIdSchema, context.req.param("id"), "id");
    return forward(edge, context, {
      path: `/internal/receipts/${encodeURIComponent(id)}`,
      body: null,
      timeMs: READ_MS_MAX,
    });
  });
  allowOnly(app, "/v1/documents/:id", ["GET", "PUT", "DELETE"]);
  allowOnly(app, "/v1/documents:batch", ["POST"]);
  allowOnly(app, "/v1/receipts/:id", ["GET"]);
}

function idOf(context: Context): string {
  return encodeURIComponent(parsePathPart(documentIdSchema, context.req.param("id"), "id"));
}

/** The class that the text names; what names none is refused by the primary, which says so better. */
function residencyIn(text: string): string | null {
  const value = parseJsonText(text);
  return typeof value === "object" &&
    value !== null &&
    "residency" in value &&
    typeof value.residency === "string"
    ? value.residency
    : null;
}
