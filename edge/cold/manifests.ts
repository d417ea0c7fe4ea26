/** The manifests of a bucket: one for each model that it has copies of. */
import type { Model } from "@kattegat/config/models.ts";
import { parseManifest, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { FORMER_MANIFEST_KEY, MANIFESTS, manifestKey } from "./manifest-key.ts";

/** Resolves with the manifest of a model's copies; null before the first. One from before there were several gets its name here. */
export async function readManifestOf(
  bucket: R2Bucket,
  model: Pick<Model, "model" | "dimensions">,
): Promise<R2ObjectBody | null> {
  const key = manifestKey(model);
  const object = await bucket.get(key);
  if (object !== null) return object;
  const former = await bucket.get(FORMER_MANIFEST_KEY);
  if (former === null) return null;
  const text = await former.text();
  if (parseManifest(text).model !== model.model) return null;
  await bucket.put(key, text, {
    onlyIf: new Headers({ "if-none-match": "*" }),
    httpMetadata: { contentType: "application/json" },
  });
  await bucket.delete(FORMER_MANIFEST_KEY);
  return bucket.get(key);
}

export interface StoredManifest {
  readonly key: string;
  readonly manifest: ColdManifest;
}

/** @throws {ColdFormatError} for one that is damaged: what it names is not known then. */
export async function manifestsIn(bucket: R2Bucket): Promise<readonly StoredManifest[]> {
  const { objects } = await bucket.list({ prefix: MANIFESTS });
  const keys = [...objects.map(({ key }) => key), FORMER_MANIFEST_KEY];
  const stored = await Promise.all(
    keys.map(async (key) => {
      const object = await bucket.get(key);
      return object === null ? [] : [{ key, manifest: parseManifest(await object.text()) }];
    }),
  );
  return stored.flat();
}
