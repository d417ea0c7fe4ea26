/** The end of a zone's copies of one model. */
import type { Model } from "@kattegat/config/models.ts";
import { keysOf, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { remainsOf } from "@kattegat/engine/cold/removal.ts";
import type { ColdPublisher } from "./cold-publisher.ts";
import type { ColdStore } from "./cold-store.ts";

/**
 * Resolves with whether every manifest of another model than those kept is gone.
 *
 * Its objects go onto the garbage list of the manifest that serves before it is deleted, so that none is forgotten wherever this
 * ends; none of them is deleted while a manifest names it, nor before a reader in flight has ended (I16).
 */
export async function retireEditions(
  kept: readonly string[],
  {
    store,
    publisher,
    now,
  }: { readonly store: ColdStore; readonly publisher: ColdPublisher; readonly now: () => number },
  signal: AbortSignal,
): Promise<boolean> {
  const editions = (await store.editions(signal)).filter(({ model }) => !kept.includes(model));
  if (editions.length === 0) return true;
  // Before its first generation the zone has no list to put them on.
  if ((await publisher.current(signal)).generation === 0) return false;
  for (const edition of editions) await retire(edition, { store, publisher, now }, signal);
  return true;
}

async function retire(
  edition: Pick<Model, "model" | "dimensions">,
  {
    store,
    publisher,
    now,
  }: { readonly store: ColdStore; readonly publisher: ColdPublisher; readonly now: () => number },
  signal: AbortSignal,
): Promise<void> {
  const former = store.ofEdition(edition);
  const held = await former.readManifest(signal);
  if (held === null) return;
  const { manifest } = held;
  await publisher.publish((base) => withGarbage(base, manifest, now()), signal);
  await former.deleteManifest(signal);
}

function withGarbage(manifest: ColdManifest, former: ColdManifest, nowMs: number): ColdManifest | null {
  const known = new Set([...keysOf(manifest), ...manifest.garbage.map(({ key }) => key)]);
  const since = new Date(nowMs).toISOString();
  const remains = remainsOf(former);
  const dropped = keysOf(former).map((key) => ({ key, since, ...remains(key) }));
  const added = [...dropped, ...former.garbage.map((entry) => ({ ...entry, since }))].filter(
    ({ key }) => !known.has(key),
  );
  if (added.length === 0) return null;
  return {
    ...manifest,
    garbage: [...manifest.garbage, ...added],
    fading: [...(manifest.fading ?? []), ...(former.fading ?? [])],
  };
}
