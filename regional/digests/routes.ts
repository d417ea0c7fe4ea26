/** The routes by which replication compares this site's copies with what is planned. */
import { copiesRequestSchema, rangesRequestSchema } from "@kattegat/protocol/digests.ts";
import { keepersOnly } from "@kattegat/protocol/hono/answers-only.ts";
import type { Hono } from "hono";
import { readBody } from "../body.ts";
import type { Regional } from "../regional.ts";

/** Four thousand indexes of five digits; 512 of the longest ids. */
const BODY_BYTES_MAX = 512 * 1_024;

export function digestRoutes(
  app: Hono<{ Variables: { issuer: string } }>,
  regional: Pick<Regional, "digests">,
): void {
  app.post("/internal/digests/ranges", keepersOnly, async (context) => {
    const asked = await readBody(context.req, rangesRequestSchema, { bytesMax: BODY_BYTES_MAX });
    return context.json(await regional.digests(asked.model).ranges(asked));
  });
  app.post("/internal/digests/lines", keepersOnly, async (context) => {
    const asked = await readBody(context.req, rangesRequestSchema, { bytesMax: BODY_BYTES_MAX });
    return context.json(await regional.digests(asked.model).lines(asked));
  });
  app.post("/internal/digests/copies", keepersOnly, async (context) => {
    const asked = await readBody(context.req, copiesRequestSchema, { bytesMax: BODY_BYTES_MAX });
    return context.json(await regional.digests(asked.model).copies(asked));
  });
}
