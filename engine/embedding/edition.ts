/** Names an edition: all copies of one site whose vectors are of one model. */
import type { Model } from "@kattegat/config/models.ts";
import { hash32 } from "../text/hash.ts";

/** With the hash and what stands before it, well within the 128 characters of an object's name. */
const SLUG_CHARACTERS_MAX = 64;

/**
 * Returns a name for collections, objects and folders: A–Z a–z 0–9 . _ - only.
 *
 * It is readable for the names of common models; the hash tells apart what is cut off or replaced, and models of unlike dimensions.
 */
export function editionName({ model, dimensions }: Pick<Model, "model" | "dimensions">): string {
  const slug = model.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, SLUG_CHARACTERS_MAX);
  return `${slug}.${hash32(`${model} ${dimensions}`).toString(16).padStart(8, "0")}`;
}
