/** The public endpoint as a benchmark calls it. */
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { Agent, fetch } from "undici";
import type { BenchNetwork } from "./network.ts";

/** An edge's server closes a connection that was silent for five seconds: a request that is sent just then is lost. */
const dispatcher = new Agent({ keepAliveTimeout: 2_000 });

export function send(
  network: BenchNetwork,
  path: string,
  init: { readonly method: string; readonly body?: string; readonly type?: string },
): ReturnType<typeof fetch> {
  const { method, body, type = "application/json" } = init;
  const headers = { ...headersOf(network), "content-type": type };
  return fetch(`${network.url}${path}`, {
    method,
    headers,
    dispatcher,
    ...(body === undefined ? {} : { body }),
  });
}

export function headersOf(network: BenchNetwork): Record<string, string> {
  return { authorization: `Bearer ${network.key}`, "content-type": "application/json" };
}

export async function search(
  network: BenchNetwork,
  body: Readonly<Record<string, unknown>>,
): Promise<SearchResponse> {
  const answer = await send(network, "/v1/search", { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`search: expected 200, got ${answer.status}: ${await answer.text()}`);
  return searchResponseSchema.parse(await answer.json());
}

export async function putDocument(
  network: BenchNetwork,
  id: string,
  document: Readonly<Record<string, unknown>>,
): Promise<void> {
  const answer = await send(network, `/v1/documents/${id}`, {
    method: "PUT",
    body: JSON.stringify(document),
  });
  if (!answer.ok)
    throw new Error(`put ${id}: expected 200 or 201, got ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
