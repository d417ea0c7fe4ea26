/** A regional site as a target. */
import { applyResponseSchema, watermarkSchema, type ApplyRequest } from "@kattegat/protocol/changes.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { SiteClient } from "./site-client.ts";
import type { Target } from "./target.ts";

const WATERMARK_TIMEOUT_MS = 5_000;
/** A full batch waits for every replica of a Qdrant cluster that may be merging segments. */
const APPLY_TIMEOUT_MS = 60_000;

export function createRegionalTarget(client: SiteClient): Target {
  return {
    site: client.site,
    linger: { delayMs: 0, passages: 0 },
    async watermark(signal) {
      const answer = await client.request(
        "/internal/watermark",
        { timeoutMs: WATERMARK_TIMEOUT_MS, signal },
        (response) => response.json(),
      );
      return parseShape(watermarkSchema, answer, "internal").watermark;
    },
    async apply({ changes, position, positionAt, head }, signal) {
      const body: ApplyRequest = {
        changes: [...changes],
        watermark: position,
        watermark_at: positionAt,
        head: { sequence: head.sequence, at: head.at, model: head.model },
      };
      const headers = { "content-type": "application/json" };
      const answer = await client.request(
        "/internal/apply",
        { method: "POST", headers, body: JSON.stringify(body), timeoutMs: APPLY_TIMEOUT_MS, signal },
        (response) => response.json(),
      );
      return parseShape(applyResponseSchema, answer, "internal");
    },
  };
}
