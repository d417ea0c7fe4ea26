/** The way in for replication: manifests, objects, the watermark. */
import type { Model } from "@kattegat/config/models.ts";
import { HEEDS_CACHE_SECONDS } from "@kattegat/engine/cold/removal.ts";
import { formatDigest, parseDigest } from "@kattegat/protocol/content-digest.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { keepersOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { siteAuth } from "@kattegat/protocol/hono/site-auth.ts";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import type { Context, Hono } from "hono";
import { manifestsIn, readManifestOf } from "../cold/manifests.ts";
import { createPublication, type Publication } from "../cold/publication.ts";
import type { Edge } from "../edge.ts";
import { readText } from "../http/body.ts";
import { allowOnly } from "../http/methods.ts";

/** A manifest names a dozen segments with their tombstones. */
const MANIFEST_BYTES_MAX = 32 * 1_024 * 1_024;
/** Twice the largest segment that a merge makes: a Worker could not open a larger one. */
const OBJECT_BYTES_MAX = 128 * 1_024 * 1_024;
const OBJECT_KEY = /^(bases|embeddings|segments|statistics)\/[A-Za-z0-9._-]{1,128}$/;
const OBJECTS = "/internal/cold/objects/:kind/:name";

export function coldRoutes(app: Hono, edge: Edge): void {
  const { bucket } = edge;
  const { site, network } = edge.settings;
  const own = [edge.serving, edge.next]
    .map((edition) => edition?.cold.index(site) ?? null)
    .filter((index) => index !== null);
  const [index] = own;
  if (index === undefined) throw new Error("an edge has a cold index of its own");
  const publications = new Map(
    own.map((each) => [each.model.model, createPublication({ index: each, network, site })]),
  );
  app.use("/internal/*", siteAuth(edge.verifier));
  app.use("/internal/cold/*", keepersOnly);

  app.get("/internal/cold/editions", async (context) => {
    const stored = await manifestsIn(bucket);
    return context.json({
      editions: stored.map(({ manifest: { model, dimensions } }) => ({ model, dimensions })),
    });
  });
  manifestRoutes(app, { bucket, serving: index.model, publications });
  objectRoutes(app, { bucket, publication: createPublication({ index, network, site }) });
  app.get("/internal/watermark", async (context) => {
    const manifest = (await index.manifests.read({ ageMsMax: 0 }))?.manifest;
    return context.json({
      site,
      watermark: manifest?.watermark ?? FENCE_ZERO,
      watermark_at: manifest?.watermark_at ?? null,
    });
  });
  allowOnly(app, "/internal/cold/editions", ["GET"]);
  allowOnly(app, "/internal/watermark", ["GET"]);
}

function manifestRoutes(
  app: Hono,
  {
    bucket,
    serving,
    publications,
  }: {
    readonly bucket: R2Bucket;
    readonly serving: Model;
    /** By the model whose copies they publish. */
    readonly publications: ReadonlyMap<string, Publication>;
  },
): void {
  app.get("/internal/cold/manifest", async (context) => {
    const object = await readManifestOf(bucket, modelOf(context, serving));
    if (object === null) throw new KattegatError("not_found", "No generation has been published yet.");
    return context.newResponse(object.body, 200, {
      "content-type": "application/json",
      ...manifestHeaders(object.httpEtag),
    });
  });
  app.put("/internal/cold/manifest", async (context) => {
    const expected = expectedEtag(context);
    const { model } = modelOf(context, serving);
    const publishing = publications.get(model);
    if (publishing === undefined)
      throw new KattegatError(
        "not_ready",
        `Expected a manifest of ${[...publications.keys()].join(" or ")}, as the network file says; one of ${model} came.`,
      );
    const text = await readText(context.req.raw, { bytesMax: MANIFEST_BYTES_MAX });
    return context.newResponse(null, 204, manifestHeaders(await publishing.publish(text, expected)));
  });
  app.delete("/internal/cold/manifest", async (context) => {
    const { model } = modelOf(context, serving);
    if (publications.has(model))
      throw new KattegatError("conflict", `The network file names ${model}; its copies stay.`);
    for (const { key, manifest } of await manifestsIn(bucket))
      if (manifest.model === model) await bucket.delete(key);
    return context.body(null, 204);
  });
  allowOnly(app, "/internal/cold/manifest", ["GET", "PUT", "DELETE"]);
}

function objectRoutes(
  app: Hono,
  { bucket, publication }: { readonly bucket: R2Bucket; readonly publication: Publication },
): void {
  app.put(OBJECTS, async (context) => {
    const key = keyOf(context);
    const bytes = Number(context.req.header("content-length") ?? Number.NaN);
    const { body } = context.req.raw;
    if (!Number.isSafeInteger(bytes) || body === null)
      throw new KattegatError("bad_request", "Expected a body with a content-length.");
    if (bytes > OBJECT_BYTES_MAX)
      throw new KattegatError("too_large", `Expected an object of at most ${OBJECT_BYTES_MAX} bytes.`);
    await publication.store(key, body, { bytes, sha256: digestOf(context) });
    return context.body(null, 204);
  });
  app.get(OBJECTS, async (context) => {
    const range = rangeOf(context.req.header("range"));
    const key = keyOf(context);
    if (context.req.method === "HEAD") {
      const object = await bucket.head(key);
      if (object === null) throw noObject();
      return context.newResponse(null, 200, headersOf(object));
    }
    const object = await bucket.get(key, range === null ? {} : { range });
    if (object === null) throw noObject();
    return context.newResponse(object.body, range === null ? 200 : 206, headersOf(object));
  });
  app.delete(OBJECTS, async (context) => {
    await publication.remove(keyOf(context));
    return context.body(null, 204);
  });
  allowOnly(app, OBJECTS, ["GET", "PUT", "DELETE"]);
}

function manifestHeaders(etag: string): Record<string, string> {
  return { etag, [HEEDS_CACHE_SECONDS.header]: HEEDS_CACHE_SECONDS.value };
}

function headersOf({ checksums: { sha256 } }: R2Object): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    ...(sha256 === undefined ? {} : { "repr-digest": formatDigest(new Uint8Array(sha256)) }),
  };
}

function noObject(): KattegatError {
  return new KattegatError("not_found", "There is no such object.");
}

/** The model that the request names; the one that serves where it names none. */
function modelOf(
  context: Context,
  serving: Pick<Model, "model" | "dimensions">,
): Pick<Model, "model" | "dimensions"> {
  const model = context.req.query("model");
  if (model === undefined) return serving;
  const dimensions = Number(context.req.query("dimensions"));
  if (!Number.isSafeInteger(dimensions) || dimensions < 1)
    throw new KattegatError("bad_request", "Expected the dimensions of the model.");
  return { model, dimensions };
}

function digestOf(context: Context): Uint8Array<ArrayBuffer> | null {
  const header = context.req.header("content-digest");
  if (header === undefined) return null;
  const digest = parseDigest(header);
  if (digest === null)
    throw new KattegatError("bad_request", "Expected Content-Digest: sha-256=:BASE64:, or none.");
  return digest;
}

/** Without a condition two publishers could both win. */
function expectedEtag(context: Context): string | null {
  const match = context.req.header("if-match");
  if (match !== undefined) return match;
  if (context.req.header("if-none-match") === "*") return null;
  throw new KattegatError(
    "bad_request",
    "Expected If-Match with the ETag of the manifest to replace, or If-None-Match: * for the first.",
  );
}

function rangeOf(header: string | undefined): { readonly offset: number; readonly length: number } | null {
  if (header === undefined) return null;
  const range = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header);
  const offset = Number(range?.[1]);
  const length = Number(range?.[2]) - offset + 1;
  if (range === null || length < 1)
    throw new KattegatError("bad_request", "Expected Range: bytes=FIRST-LAST.");
  return { offset, length };
}

function keyOf(context: Context): string {
  const key = `${context.req.param("kind") ?? ""}/${context.req.param("name") ?? ""}`;
  if (!OBJECT_KEY.test(key))
    throw new KattegatError("bad_request", "Expected a key such as segments/NAME or statistics/NAME.");
  return key;
}
