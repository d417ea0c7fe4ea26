/** Where the manifests of a bucket are. */
import type { Model } from "@kattegat/config/models.ts";
import { editionName } from "@kattegat/engine/embedding/edition.ts";

/** Of all models. */
export const MANIFESTS = "manifests/";

/** From before there were manifests of several models: it is of the model that it names. */
export const FORMER_MANIFEST_KEY = "manifest.json";

/** Returns where the manifest of a model's copies is. */
export function manifestKey(model: Pick<Model, "model" | "dimensions">): string {
  return `${MANIFESTS}${editionName(model)}.json`;
}
