/** A request passed on to the primary. */
import { servedClasses } from "@kattegat/config/residency.ts";
import type { Context } from "hono";
import type { Edge } from "../edge.ts";
import { callerOf } from "../http/caller.ts";

/** What the primary says to the caller; the rest is between sites. */
const PASSED_ON = ["content-type", "etag", "retry-after"] as const;

/** What a writer demands of the document that the write meets. */
const CONDITIONS = ["if-match", "if-none-match"] as const;

export interface Forwarding {
  readonly path: string;
  readonly body: BodyInit | null;
  readonly timeMs: number;
  /** What the caller gets of a successful answer's body. */
  readonly results?: (body: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;
}

/** Resolves with the primary's answer; a refusal for residency names the host name that would carry it. */
export async function forward(
  edge: Edge,
  context: Context,
  { path, body, timeMs, results }: Forwarding,
): Promise<Response> {
  const { settings } = edge;
  const { served } = servedClasses(settings.network, {
    zone: settings.zone,
    callerCountry: callerOf(context.req.raw, { isLocal: settings.isLocal }).country,
  });
  const conditions = CONDITIONS.flatMap((name) => {
    const value = context.req.header(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const response = await edge.sites.send(edge.primary, {
    method: context.req.method,
    path,
    body,
    headers: {
      ...(body === null ? {} : { "content-type": context.req.header("content-type") ?? "application/json" }),
      "x-kattegat-zone": settings.zone,
      "x-kattegat-classes": served.join(","),
      ...Object.fromEntries(conditions),
    },
    signal: AbortSignal.timeout(timeMs),
    context: edge.requestContext(context),
  });
  for (const name of PASSED_ON) {
    const value = response.headers.get(name);
    if (value !== null) context.header(name, value);
  }
  if (response.status === 403) edge.linkAlternate(context);
  const stream =
    results === undefined || !response.ok || response.body === null ? response.body : results(response.body);
  return context.newResponse(stream, statusOf(response.status));
}

/** Statuses as Hono types them: those that the primary has for a caller, else a bad gateway. */
function statusOf(
  status: number,
): 200 | 201 | 202 | 400 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 500 | 502 | 503 | 504 {
  const known = [200, 201, 202, 400, 403, 404, 405, 409, 412, 413, 415, 422, 500, 503, 504] as const;
  return known.find((candidate) => candidate === status) ?? 502;
}
