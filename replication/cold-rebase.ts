/** The making of base and tail into the next base. */
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { keysOfBase, withBase } from "@kattegat/engine/cold/manifest-base.ts";
import type { ColdManifest, ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { hiddenFrom } from "@kattegat/engine/cold/removal.ts";
import { assertReserved } from "./cold-reservation.ts";
import type { ColdParts } from "./edge-target.ts";
import { makeBase, type MadeBase } from "./make-base.ts";

/** As long as the largest base may take to be made and uploaded; what a crash leaves is garbage from then on. */
const LEASE_MS = 45 * 60_000;

export interface RebaseOptions extends ColdParts {
  /** Of the machine: texts wait there while their places are found. */
  readonly spoolFolder: string;
  /** A tail of fewer passages is scanned as it is. */
  readonly basePassagesMin: number;
}

/**
 * Makes a new base of `before`; resolves with whether it was published. Nobody may merge its segments meanwhile.
 *
 * What batches hide meanwhile is hidden in the new base too; segments that came meanwhile stay in the tail. Nobody sees a
 * byte of it before the manifest names it, so a crash leaves the generation as it was.
 */
export async function rebase(
  options: RebaseOptions,
  before: ColdManifest,
  signal: AbortSignal,
): Promise<boolean> {
  const { publisher, table, store, now, newId } = options;
  const key = `bases/${newId()}`;
  const begun = hiddenFrom(before, now());
  const made = await makeBase(
    orderOf(before, { ...options, key }),
    {
      read: (object, range) => store.readObject(object, range, signal),
      put: async (object, bytes) => {
        await publisher.reserve(object, signal, { leaseMs: LEASE_MS, after: begun.after });
        await store.putObject(object, bytes, signal);
      },
    },
    signal,
  );
  table.learn(key, made.documents);
  let isPublished = false;
  await publisher.publish((current) => {
    isPublished = hasAll(current, before);
    // Another replication has merged them: these objects stay on the garbage list.
    if (!isPublished) return null;
    for (const object of keysOfBase(made.base)) assertReserved(current, object, now());
    const merged = before.segments.map((segment) => segment.key);
    return withBase(current, {
      base: { ...made.base, ...publisher.cached() },
      merged,
      begun,
      late: lateNumbers(options, { before, current, made }),
    });
  }, signal);
  return isPublished;
}

function orderOf(
  { base, segments }: ColdManifest,
  { key, model, dimensions, spoolFolder }: RebaseOptions & { readonly key: string },
) {
  const tail = segments.reduce((sum, { passages }) => sum + passages, 0);
  return {
    key,
    model,
    dimensions,
    capacity: tail + (base?.passages ?? 0),
    folder: spoolFolder,
    base:
      base === null
        ? null
        : { key: base.key, rootBytes: base.root.bytes, dead: [...decodeNumbers(base.tombstones)] },
    segments: segments.map((segment) => ({
      key: segment.key,
      bytes: segment.bytes,
      checksum: segment.checksum,
      tombstones: [...segment.tombstones],
    })),
  };
}

function hasAll(current: ColdManifest, before: ColdManifest): boolean {
  const keys = new Set(current.segments.map(({ key }) => key));
  return current.base?.key === before.base?.key && before.segments.every(({ key }) => keys.has(key));
}

/** The numbers, in the new base, of what was hidden since it was begun. */
function lateNumbers(
  { table }: Pick<RebaseOptions, "table">,
  {
    before,
    current,
    made,
  }: { readonly before: ColdManifest; readonly current: ColdManifest; readonly made: MadeBase },
): readonly number[] {
  const late = new Set<string>();
  const known = new Map(before.segments.map(({ key, tombstones }) => [key, new Set(tombstones)]));
  for (const { key, tombstones } of current.segments)
    for (const id of tombstones) if (known.get(key)?.has(id) === false) late.add(id);
  for (const id of lateInBase(table, before.base, current.base)) late.add(id);
  return made.documents.flatMap(({ documentId }, number) => (late.has(documentId) ? [number] : []));
}

function lateInBase(
  table: Pick<RebaseOptions, "table">["table"],
  before: ManifestBase | null,
  current: ManifestBase | null,
): readonly string[] {
  if (before === null || current === null) return [];
  const known = new Set(decodeNumbers(before.tombstones));
  return decodeNumbers(current.tombstones)
    .filter((number) => !known.has(number))
    .map((number) => table.idOf(before.key, number) ?? "");
}
