/** Objects that no generation refers to any more. */
import type { ColdManifest } from "./manifest-shape.ts";

/** A search lasts at most 10 s, a reader looks for a new manifest every second: nobody reads an object so long dropped. */
export const GARBAGE_AGE_MS_MIN = 60_000;

/** Returns the keys that no reader in flight can still need. Forget them with `withoutGarbage` once they are deleted. */
export function keysToDelete(
  manifest: Pick<ColdManifest, "garbage">,
  { nowMs }: { readonly nowMs: number },
): readonly string[] {
  return manifest.garbage
    .filter(({ since }) => nowMs - Date.parse(since) >= GARBAGE_AGE_MS_MIN)
    .map(({ key }) => key);
}
