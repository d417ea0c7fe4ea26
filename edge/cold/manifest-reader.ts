/** The manifest of a cold index as this isolate last read it. */
import type { DeadDocuments } from "@kattegat/engine/cold/base/base-index.ts";
import { parseManifest, type ColdManifest, type ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { createBitmap, setBit } from "@kattegat/engine/index/bitmap.ts";
import { sha256Hex } from "../http/authentication.ts";

export const MANIFEST_KEY = "manifest.json";
/** The contract's second within which an edge stops showing an erased document. */
export const MANIFEST_AGE_MS_MAX = 1_000;

export interface ManifestState {
  readonly manifest: ColdManifest;
  readonly etag: string;
  /** Names what a search over the segments can find; a moved watermark alone does not change it. */
  readonly contentKey: string;
  /** What of the base is hidden, the same for as long as its tombstones are; null without a base. */
  readonly dead: DeadDocuments | null;
  /** Per segment, the same function for as long as its tombstones are the same. */
  readonly hidden: ReadonlyMap<string, (documentId: string) => boolean>;
}

export interface ManifestReader {
  /** Resolves with a manifest that was current at most `ageMsMax` ago; null when none was ever published. */
  read(options?: { readonly ageMsMax?: number }): Promise<ManifestState | null>;
}

export function createManifestReader(
  bucket: R2Bucket,
  { now }: { readonly now: () => number },
): ManifestReader {
  let state: ManifestState | null = null;
  let checkedAt = Number.NEGATIVE_INFINITY;

  return {
    async read({ ageMsMax = MANIFEST_AGE_MS_MAX } = {}) {
      const startedAt = now();
      if (startedAt - checkedAt < ageMsMax) return state;
      // No request waits for another's read: workerd forbids it, two small reads cost less than one hang.
      const known = state;
      const object = await bucket.get(
        MANIFEST_KEY,
        known === null ? {} : { onlyIf: { etagDoesNotMatch: known.etag } },
      );
      if (object === null) state = null;
      else if ("body" in object) state = await stateOf(await object.text(), object.etag, known);
      checkedAt = Math.max(checkedAt, startedAt);
      return state;
    },
  };
}

async function stateOf(text: string, etag: string, known: ManifestState | null): Promise<ManifestState> {
  const manifest = parseManifest(text);
  const hidden = new Map<string, (documentId: string) => boolean>();
  for (const segment of manifest.segments) {
    const before = known?.manifest.segments.find(({ key }) => key === segment.key);
    const kept = known?.hidden.get(segment.key);
    if (
      kept !== undefined &&
      before !== undefined &&
      before.tombstones.join(" ") === segment.tombstones.join(" ")
    ) {
      hidden.set(segment.key, kept);
    } else {
      const ids = new Set(segment.tombstones);
      hidden.set(segment.key, (documentId) => ids.has(documentId));
    }
  }
  const content = manifest.segments.map(({ key, tombstones }) => [key, tombstones]);
  const contentKey = await sha256Hex(
    JSON.stringify([manifest.model, manifest.statistics?.version ?? null, content]),
  );
  return { manifest, etag, contentKey, hidden, dead: deadIn(manifest.base, known) };
}

function deadIn(base: ManifestBase | null, known: ManifestState | null): DeadDocuments | null {
  if (base === null) return null;
  // Tombstones of one base only grow, so their number names them.
  const name = `${base.key} ${base.dead}`;
  if (known?.dead?.name === name) return known.dead;
  const documents = createBitmap(base.documents);
  for (const number of decodeNumbers(base.tombstones)) if (number < base.documents) setBit(documents, number);
  return { name, documents };
}
