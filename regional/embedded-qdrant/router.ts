/** The table of routes. */
import {
  collectionExists,
  createCollection,
  createIndex,
  deleteCollection,
  deleteIndex,
  describeCollection,
  listCollections,
  updateCollection,
} from "./collection-routes.ts";
import { queryBatch, queryGroups, queryPoints } from "./query-routes.ts";
import { countPoints, retrievePoint, retrievePoints, scrollPoints } from "./read-routes.ts";
import type { QdrantRequest } from "./request.ts";
import { telemetry } from "./telemetry-routes.ts";
import { batchPoints, deletePoints, setPayload, upsertPoints } from "./write-routes.ts";

/** Returns, or resolves with, the `result` of the answer. */
export type Handler = (request: QdrantRequest) => unknown;

export interface Route {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

const ROUTES: readonly (readonly [method: string, path: string, handler: Handler])[] = [
  ["GET", "/telemetry", telemetry],
  ["GET", "/collections", listCollections],
  ["GET", "/collections/{collection}", describeCollection],
  ["PUT", "/collections/{collection}", createCollection],
  ["PATCH", "/collections/{collection}", updateCollection],
  ["DELETE", "/collections/{collection}", deleteCollection],
  ["GET", "/collections/{collection}/exists", collectionExists],
  ["PUT", "/collections/{collection}/index", createIndex],
  ["DELETE", "/collections/{collection}/index/{key}", deleteIndex],
  ["PUT", "/collections/{collection}/points", upsertPoints],
  ["POST", "/collections/{collection}/points", retrievePoints],
  ["POST", "/collections/{collection}/points/delete", deletePoints],
  ["POST", "/collections/{collection}/points/payload", setPayload],
  ["POST", "/collections/{collection}/points/batch", batchPoints],
  ["POST", "/collections/{collection}/points/scroll", scrollPoints],
  ["POST", "/collections/{collection}/points/count", countPoints],
  ["POST", "/collections/{collection}/points/query", queryPoints],
  ["POST", "/collections/{collection}/points/query/batch", queryBatch],
  ["POST", "/collections/{collection}/points/query/groups", queryGroups],
  ["GET", "/collections/{collection}/points/{id}", retrievePoint],
];

const TABLE = ROUTES.map(([method, path, handler]) => ({ method, steps: path.split("/").slice(1), handler }));

/** @throws {URIError} when the path is not well encoded. */
export function routeOf(method: string, path: string): Route | null {
  const steps = path.split("/").slice(1);
  for (const route of TABLE) {
    if (route.method !== method || route.steps.length !== steps.length) continue;
    const params: Record<string, string> = {};
    const fits = route.steps.every((step, at) => {
      if (!step.startsWith("{")) return step === steps[at];
      params[step.slice(1, -1)] = decodeURIComponent(steps[at] ?? "");
      return true;
    });
    if (fits) return { handler: route.handler, params };
  }
  return null;
}
