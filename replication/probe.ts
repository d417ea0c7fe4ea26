/** The cheapest question that a site answers from its own storage. */
import { watermarkSchema } from "@kattegat/protocol/changes.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { SiteClient } from "./site-client.ts";

const TIMEOUT_MS = 5_000;

export function createProbe(client: SiteClient): (signal: AbortSignal) => Promise<unknown> {
  return async (signal) => {
    const answer = await client.request(
      "/internal/watermark",
      { timeoutMs: TIMEOUT_MS, signal },
      (response) => response.json(),
    );
    return parseShape(watermarkSchema, answer, "internal");
  };
}
