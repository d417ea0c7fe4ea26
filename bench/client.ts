/** The public endpoint as a benchmark calls it. */
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import type { BenchNetwork } from "./network.ts";

export function headersOf(network: BenchNetwork): Record<string, string> {
  return { authorization: `Bearer ${network.key}`, "content-type": "application/json" };
}

export async function search(
  network: BenchNetwork,
  body: Readonly<Record<string, unknown>>,
): Promise<SearchResponse> {
  const answer = await fetch(`${network.url}/v1/search`, {
    method: "POST",
    headers: headersOf(network),
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`search: expected 200, got ${answer.status}: ${await answer.text()}`);
  return searchResponseSchema.parse(await answer.json());
}

export async function putDocument(
  network: BenchNetwork,
  id: string,
  document: Readonly<Record<string, unknown>>,
): Promise<void> {
  const answer = await fetch(`${network.url}/v1/documents/${id}`, {
    method: "PUT",
    headers: headersOf(network),
    body: JSON.stringify(document),
  });
  if (!answer.ok)
    throw new Error(`put ${id}: expected 200 or 201, got ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
