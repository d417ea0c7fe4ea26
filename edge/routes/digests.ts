/** The routes by which replication compares this zone's copies with what is planned. */
import { copiesRequestSchema, rangesRequestSchema, scrubRequestSchema } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { keepersOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { parseJson } from "@kattegat/protocol/parse.ts";
import type { Hono } from "hono";
import type { z } from "zod";
import { ZoneDigests } from "../digests/zone-digests.ts";
import type { Edge } from "../edge.ts";
import { readText } from "../http/body.ts";
import { allowOnly } from "../http/methods.ts";

/** Four thousand indexes of five digits; 512 of the longest ids. */
const BODY_BYTES_MAX = 512 * 1_024;

/** Stands behind the check of the site token that the routes of replication begin with. */
export function digestRoutes(app: Hono, edge: Edge): void {
  const { bucket, scanner, settings, serving } = edge;
  const model = serving.cold.index(settings.site)?.model;
  if (model === undefined) throw new Error("an edge has a cold index of its own");
  const zone = new ZoneDigests({ bucket, model, scanner });
  const digestsOf = (asked: { readonly model: string }): ZoneDigests => {
    if (asked.model === model.model) return zone;
    throw new KattegatError("not_ready", "Copies are compared once their model serves.");
  };
  const bodyOf = async <T>(request: Request, schema: z.ZodType<T>): Promise<T> =>
    parseJson(schema, await readText(request, { bytesMax: BODY_BYTES_MAX }));
  app.post("/internal/digests/ranges", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, rangesRequestSchema);
    return context.json(await digestsOf(asked).ranges(asked));
  });
  app.post("/internal/digests/lines", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, rangesRequestSchema);
    return context.json(await digestsOf(asked).lines(asked));
  });
  app.post("/internal/digests/copies", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, copiesRequestSchema);
    return context.json(await digestsOf(asked).copies(asked));
  });
  app.post("/internal/digests/scrub", keepersOnly, async (context) => {
    const asked = await bodyOf(context.req.raw, scrubRequestSchema);
    return context.json(await digestsOf(asked).scrub(asked));
  });
  for (const verb of ["ranges", "lines", "copies", "scrub"])
    allowOnly(app, `/internal/digests/${verb}`, ["POST"]);
}
