/** The OpenAPI document, made of the schemas that validate the requests. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import {
  batchLineSchema,
  batchResultSchema,
  deleteResultSchema,
  documentIdSchema,
  documentInputSchema,
  documentSchema,
  receiptSchema,
  writeResultSchema,
} from "@kattegat/protocol/documents.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { PROBLEM_MEDIA_TYPE, problemSchema } from "@kattegat/protocol/problem.ts";
import {
  collectionSchema,
  GROUPINGS,
  MODES,
  SEARCH_LIMITS,
  searchRequestSchema,
  searchResponseSchema,
} from "@kattegat/protocol/search.ts";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import type { Hono } from "hono";
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import type { Edge } from "../edge.ts";
import { allowOnly } from "../http/methods.ts";

export function openApiRoutes(app: Hono, edge: Edge): void {
  let text: string | null = null;
  app.get("/v1/openapi.json", async (context) => {
    await edge.admit(context, "search");
    text ??= JSON.stringify(openApiDocument(edge.settings.alternates.get(edge.settings.zone) ?? "/"));
    context.header("content-type", "application/json");
    return context.body(text);
  });
  allowOnly(app, "/v1/openapi.json", ["GET"]);
}

const json = (schema: z.ZodType): { "application/json": { schema: z.ZodType } } => ({
  "application/json": { schema },
});
const lines = (schema: z.ZodType): { "application/x-ndjson": { schema: z.ZodType } } => ({
  "application/x-ndjson": { schema },
});
const problem = {
  description: "What went wrong.",
  content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } },
} as const;
const errors = { "4XX": problem, "5XX": problem } as const;

const streamLine = z.discriminatedUnion("type", [
  searchResponseSchema.extend({ type: z.literal("hits") }).meta({ id: "HitsLine" }),
  searchResponseSchema.extend({ type: z.literal("final") }).meta({ id: "FinalLine" }),
  problemSchema
    .omit({ type: true })
    .extend({ type: z.literal("error") })
    .meta({ id: "ErrorLine" }),
]);

/** A URL carries text, so each parameter says how its text is read. */
const searchParameters = z.object({
  q: z
    .string()
    .max(SEARCH_LIMITS.queryCharactersMax)
    .meta({ description: "The query; `query` is the same." }),
  mode: z.enum(MODES).optional(),
  collection: collectionSchema.optional(),
  filter: z.string().optional().meta({ description: "A Filter as JSON text." }),
  vector: z.string().optional().meta({ description: "A JSON list of numbers." }),
  limit: z.int().min(1).max(SEARCH_LIMITS.limitMax).optional(),
  offset: z.int().min(0).max(SEARCH_LIMITS.windowMax).optional(),
  tiers: z
    .string()
    .optional()
    .meta({ description: `Names with commas between, of ${TIER_NAMES.join(", ")}.` }),
  group_by: z.enum(GROUPINGS).optional(),
  min_sequence: sequenceSchema.optional(),
  timeout_ms: z.int().min(SEARCH_LIMITS.timeoutMsMin).max(SEARCH_LIMITS.timeoutMsMax).optional(),
  explain: z.enum(["true", "false"]).optional(),
});

const idPath = z.object({ id: documentIdSchema });
const ifMatch = z.object({
  "if-match": z
    .string()
    .optional()
    .meta({ description: 'The version that must be there, as `"204"`; otherwise 412.' }),
  "if-none-match": z
    .literal("*")
    .optional()
    .meta({ description: "Writes only a document that is new; otherwise 412." }),
});
const answer = {
  description: "One ranking over all tiers that were asked.",
  content: json(searchResponseSchema),
} as const;

const searchOperations: Record<string, Record<string, ZodOpenApiOperationObject>> = {
  "/v1/search": {
    post: {
      operationId: "search",
      summary: "Search",
      requestBody: { required: true, content: json(searchRequestSchema) },
      responses: { "200": answer, ...errors },
    },
    get: {
      operationId: "searchByUrl",
      summary: "Search by URL",
      requestParams: { query: searchParameters },
      responses: { "200": answer, ...errors },
    },
  },
  "/v1/search:stream": {
    post: {
      operationId: "searchStream",
      summary: "Search, hearing of the ranking as it improves",
      requestBody: { required: true, content: json(searchRequestSchema) },
      responses: {
        "200": {
          description: "A line each time the ranking improves; the last has the type `final`.",
          content: lines(streamLine),
        },
        ...errors,
      },
    },
  },
};

const documentOperations: Record<string, Record<string, ZodOpenApiOperationObject>> = {
  "/v1/documents/{id}": {
    put: {
      operationId: "putDocument",
      summary: "Store or replace a document",
      requestParams: { path: idPath, header: ifMatch },
      requestBody: { required: true, content: json(documentInputSchema) },
      responses: {
        "200": { description: "Replaced.", content: json(writeResultSchema) },
        "201": { description: "New.", content: json(writeResultSchema) },
        ...errors,
      },
    },
    get: {
      operationId: "getDocument",
      summary: "Read a document",
      requestParams: { path: idPath },
      responses: {
        "200": { description: "The document; its version is the ETag.", content: json(documentSchema) },
        ...errors,
      },
    },
    delete: {
      operationId: "deleteDocument",
      summary: "Erase a document",
      requestParams: { path: idPath, header: ifMatch },
      responses: {
        "202": {
          description: "Erasing; the receipt says when every site has.",
          content: json(deleteResultSchema),
        },
        ...errors,
      },
    },
  },
  "/v1/documents:batch": {
    post: {
      operationId: "batchDocuments",
      summary: "Store many documents",
      requestBody: { required: true, content: lines(batchLineSchema) },
      responses: {
        "200": { description: "One result for each line, in order.", content: lines(batchResultSchema) },
        ...errors,
      },
    },
  },
  "/v1/receipts/{id}": {
    get: {
      operationId: "getReceipt",
      summary: "Read the receipt of an erasure",
      requestParams: { path: z.object({ id: z.string() }) },
      responses: {
        "200": { description: "Which sites have confirmed, and when.", content: json(receiptSchema) },
        ...errors,
      },
    },
  },
};

const plain = z.object({ status: z.literal("ok") }).meta({ id: "Health" });
const networkOperations: Record<string, Record<string, ZodOpenApiOperationObject>> = {
  "/v1/network": {
    get: {
      operationId: "network",
      summary: "The state of the network",
      responses: {
        "200": { description: "Sites, tiers, classes.", content: json(networkStatusSchema) },
        ...errors,
      },
    },
  },
  "/v1/openapi.json": {
    get: {
      operationId: "openapi",
      summary: "This document",
      responses: {
        "200": { description: "OpenAPI 3.1.", content: json(z.looseObject({ openapi: z.string() })) },
        ...errors,
      },
    },
  },
  "/healthz": {
    get: {
      operationId: "healthz",
      summary: "Alive",
      security: [],
      responses: { "200": { description: "Alive.", content: json(plain) } },
    },
  },
  "/readyz": {
    get: {
      operationId: "readyz",
      summary: "Able to answer in full",
      security: [],
      responses: { "200": { description: "Ready.", content: json(plain) }, "503": problem },
    },
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      summary: "Counters in Prometheus' text form",
      responses: {
        "200": { description: "Counters.", content: { "text/plain": { schema: z.string() } } },
        ...errors,
      },
    },
  },
};

export function openApiDocument(serverUrl: string): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = { ...searchOperations, ...documentOperations, ...networkOperations };
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Kattegat",
      version: "1",
      description:
        "Search over legal documents that stay where the law says. Errors are RFC 9457 problem documents.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: serverUrl }],
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
    paths,
  });
}
