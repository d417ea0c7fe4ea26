/** Routes of documents. */
import { mayPass } from "@kattegat/config/residency.ts";
import {
  DOCUMENT_LIMITS,
  documentIdSchema,
  documentInputSchema,
  receiptIdSchema,
} from "@kattegat/protocol/documents.ts";
import { KattegatError, codeOf } from "@kattegat/protocol/errors.ts";
import { parsePathPart } from "@kattegat/protocol/parse.ts";
import { selectionRequestSchema } from "@kattegat/protocol/selection.ts";
import type { Context, Hono } from "hono";
import { parseBytes, readBody } from "../documents/body.ts";
import { contentOf } from "../documents/content.ts";
import { deleteDocument, putDocument, readDocument, readReceipt } from "../documents/documents.ts";
import { ingest } from "../documents/ingest.ts";
import { preconditionOf, type Precondition } from "../documents/precondition.ts";
import { selectDocuments } from "../documents/selection.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { AppOptions, OpenedPrimary, Variables } from "./app.ts";
import type { Metrics } from "./metrics.ts";
import { operatorOnly } from "@kattegat/protocol/hono/answers-only.ts";

/** A filter with every condition that it may have. */
const SELECTION_BYTES_MAX = 256 * 1_024;

export function documentRoutes(
  app: Hono<Variables>,
  opened: OpenedPrimary,
  { metrics, report }: RouteOptions,
): void {
  app.put("/internal/documents/:id", async (context) => {
    const primary = opened();
    const zone = zoneOf(context);
    const id = idOf(context);
    const input = parseBytes(
      documentInputSchema,
      await readBody(context.req.raw.body, { bytesMax: DOCUMENT_LIMITS.bodyBytesMax }),
    );
    const written = await counted(
      metrics,
      putDocument(primary, {
        content: contentOf(id, input, { ...primary, zone }),
        zone,
        precondition: conditionOf(context),
      }),
    );
    context.header("etag", `"${written.result.version}"`);
    return context.json(written.result, written.status);
  });
  app.get("/internal/documents/:id", async (context) => {
    const primary = opened();
    const zone = zoneOf(context);
    const classes = new Set(
      (context.req.header("x-kattegat-classes") ?? "").split(",").map((name) => name.trim()),
    );
    const document = await withPostgres(readDocument(primary, idOf(context)));
    if (document === null) throw new KattegatError("not_found", "There is no document with this id.");
    if (!classes.has(document.residency) || !mayPass(primary.network, document.residency, zone)) {
      throw new KattegatError(
        "residency_refused",
        `A document of class ${document.residency} may not be read by this caller through the zone ${zone}.`,
      );
    }
    context.header("etag", `"${document.version}"`);
    return context.json(document);
  });
  app.delete("/internal/documents/:id", async (context) => {
    const primary = opened();
    const deleted = await counted(
      metrics,
      deleteDocument(primary, {
        id: idOf(context),
        zone: zoneOf(context),
        precondition: conditionOf(context),
      }),
    );
    return context.json(deleted, 202);
  });
  batchRoute(app, opened, { metrics, report });
  app.post("/internal/documents:select", operatorOnly, async (context) => {
    const bytes = await readBody(context.req.raw.body, { bytesMax: SELECTION_BYTES_MAX });
    return context.json(
      await withPostgres(selectDocuments(opened(), parseBytes(selectionRequestSchema, bytes))),
    );
  });
  app.get("/internal/receipts/:id", async (context) => {
    const receipt = await withPostgres(
      readReceipt(opened(), parsePathPart(receiptIdSchema, context.req.param("id"), "id")),
    );
    if (receipt === null) throw new KattegatError("not_found", "There is no receipt with this id.");
    return context.json(receipt);
  });
}

type RouteOptions = Pick<AppOptions, "metrics" | "report">;

function batchRoute(app: Hono<Variables>, opened: OpenedPrimary, { metrics, report }: RouteOptions): void {
  app.post("/internal/documents:batch", (context) => {
    const primary = opened();
    const zone = zoneOf(context);
    const body =
      context.req.raw.body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
    const results = ingest(primary, {
      body,
      zone,
      report: (error) => report(error, "batch"),
      written: (outcome) => metrics.writes.inc({ outcome }),
    });
    return context.body(streamOf(results), 200, { "content-type": "application/x-ndjson" });
  });
}

/** Asks for the next part only when the reader wants it. */
function streamOf(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const part = await parts.next();
      if (part.done === true) controller.close();
      else controller.enqueue(encoder.encode(part.value));
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}

async function counted<T>(metrics: Metrics, write: Promise<T>): Promise<T> {
  try {
    const result = await write;
    metrics.writes.inc({ outcome: "done" });
    return result;
  } catch (error) {
    metrics.writes.inc({ outcome: codeOf(error) });
    throw error;
  }
}

function idOf(context: Context): string {
  return parsePathPart(documentIdSchema, context.req.param("id"), "id");
}

/** Denied by default: a request that names no zone came through none that may carry anything. */
function zoneOf(context: Context): string {
  const zone = context.req.header("x-kattegat-zone");
  if (zone === undefined)
    throw new KattegatError(
      "bad_request",
      "Expected the header x-kattegat-zone: the edge zone that the request came through.",
    );
  return zone;
}

function conditionOf(context: Context): Precondition {
  return preconditionOf({
    ifMatch: context.req.header("if-match"),
    ifNoneMatch: context.req.header("if-none-match"),
  });
}
