/** The way in for replication: manifests, objects, the watermark. */
import type { Context, Hono } from "hono";
import { parseManifest } from "@kattegat/engine/cold/manifest.ts";
import { siteAuth } from "@kattegat/protocol/hono/site-auth.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences, FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import type { Edge } from "../app.ts";
import { MANIFEST_KEY } from "../cold/manifest-reader.ts";
import { readText } from "../http/body.ts";

/** A manifest names at most a few dozen segments with their tombstones. */
const MANIFEST_BYTES_MAX = 32 * 1_024 * 1_024;
const OBJECT_KEY = /^(segments|statistics)\/[A-Za-z0-9._-]{1,128}$/;

export function coldRoutes(app: Hono, edge: Edge): void {
  const bucket = edge.bucket;
  app.use("/internal/*", siteAuth(edge.verifier));
  app.get("/internal/cold/manifest", async (context) => {
    const object = await bucket.get(MANIFEST_KEY);
    if (object === null) throw new KattegatError("not_found", "No generation has been published yet.");
    return context.newResponse(object.body, 200, {
      "content-type": "application/json",
      etag: object.httpEtag,
    });
  });
  app.put("/internal/cold/manifest", async (context) => {
    const text = await readText(context.req.raw, { bytesMax: MANIFEST_BYTES_MAX });
    const next = parseManifest(text);
    const held = await bucket.get(MANIFEST_KEY);
    if (held !== null) {
      const before = parseManifest(await held.text());
      if (compareFences(next.watermark, before.watermark) < 0) {
        throw new KattegatError(
          "stale_epoch",
          `Expected a watermark not before ${before.watermark.epoch}/${before.watermark.sequence}.`,
        );
      }
    }
    const expected = context.req.header("if-match") ?? null;
    const isCurrent = expected === null ? held === null : held?.httpEtag === expected;
    if (!isCurrent)
      throw new KattegatError("conflict", "Another manifest has been published meanwhile; read it again.");
    const condition = held === null ? { etagDoesNotMatch: "*" } : { etagMatches: held.etag };
    const put = await bucket.put(MANIFEST_KEY, text, { onlyIf: condition });
    if (put === null)
      throw new KattegatError("conflict", "Another manifest has been published meanwhile; read it again.");
    return context.newResponse(null, 204, { etag: put.httpEtag });
  });
  app.put("/internal/cold/objects/:kind/:name", async (context) => {
    const key = keyOf(context);
    const length = Number(context.req.header("content-length") ?? Number.NaN);
    if (!Number.isSafeInteger(length) || context.req.raw.body === null)
      throw new KattegatError("bad_request", "Expected a body with a content-length.");
    await bucket.put(key, context.req.raw.body);
    return context.newResponse(null, 204);
  });
  app.get("/internal/cold/objects/:kind/:name", async (context) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(context.req.header("range") ?? "");
    const offset = Number(range?.[1] ?? 0);
    const object = await bucket.get(
      keyOf(context),
      range === null ? {} : { range: { offset, length: Number(range[2]) - offset + 1 } },
    );
    if (object === null) throw new KattegatError("not_found", "There is no such object.");
    return context.newResponse(object.body, range === null ? 200 : 206, {
      "content-type": "application/octet-stream",
    });
  });
  app.delete("/internal/cold/objects/:kind/:name", async (context) => {
    await bucket.delete(keyOf(context));
    return context.newResponse(null, 204);
  });
  app.get("/internal/watermark", async (context) => {
    const manifest =
      (await edge.cold.index(edge.settings.site)?.manifests.read({ ageMsMax: 0 }))?.manifest ?? null;
    return context.json({
      site: edge.settings.site,
      watermark: manifest?.watermark ?? FENCE_ZERO,
      watermark_at: manifest?.watermark_at ?? null,
    });
  });
}

function keyOf(context: Context): string {
  const key = `${context.req.param("kind") ?? ""}/${context.req.param("name") ?? ""}`;
  if (!OBJECT_KEY.test(key))
    throw new KattegatError("bad_request", "Expected a key such as segments/NAME or statistics/NAME.");
  return key;
}
