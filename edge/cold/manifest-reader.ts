/** The manifest of a cold index as this isolate last read it. */
import type { DeadDocuments } from "@kattegat/engine/cold/base/base-index.ts";
import { parseManifest, type ColdManifest, type ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import type { Model } from "@kattegat/config/models.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { createBitmap, setBit } from "@kattegat/engine/index/bitmap.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import { sha256Hex } from "../http/authentication.ts";
import { manifestKey } from "./manifest-key.ts";
import { unboundLimits, type Attempt, type ReadLimits } from "./bucket-attempt.ts";

/** The contract's second within which an edge stops showing an erased document. */
export const MANIFEST_AGE_MS_MAX = 1_000;
/** Read again ahead of need, so that where questions keep coming none of them waits for a manifest. */
const AHEAD_AGE_MS = 500;
/** A restore or a rebuild stays; by then replication, which starts from the watermark, has told it what is missing. */
const BACKWARDS_MS_MAX = 60_000;

export interface ManifestState {
  readonly manifest: ColdManifest;
  readonly etag: string;
  /** Names what a search over the segments can find; a moved watermark alone does not change it. */
  readonly contentKey: string;
  /** What of the base is hidden, the same for as long as its tombstones are; null without a base. */
  readonly dead: DeadDocuments | null;
  /** Per segment, the same function for as long as its tombstones are the same. */
  readonly hidden: ReadonlyMap<string, (documentId: string) => boolean>;
  /** Whether the bucket now has a manifest of before this one. */
  readonly wentBack: boolean;
}

export interface ManifestReader {
  /**
   * Resolves with a manifest that was current at most `ageMsMax` ago; null when none was ever published.
   *
   * @throws {ColdFormatError} for one that is damaged.
   */
  read(options?: {
    readonly ageMsMax?: number;
    readonly limits?: ReadLimits;
    /** Where one is given, a manifest that is about to be too old is read again behind the answer. */
    readonly defer?: (work: Promise<unknown>) => void;
  }): Promise<ManifestState | null>;
  /** Whether `read` would answer without reading. */
  isFresh(): boolean;
  /** The manifest as it was last read, however long ago. */
  held(): ManifestState | null;
}

export function createManifestReader(
  bucket: R2Bucket,
  { model, now, attempt }: { readonly model: Model; readonly now: () => number; readonly attempt: Attempt },
): ManifestReader {
  const key = manifestKey(model);
  let state: ManifestState | null = null;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let stateOfReadAt = Number.NEGATIVE_INFINITY;
  let wentBackAt: number | null = null;
  let aheadAt = Number.NEGATIVE_INFINITY;

  /** What was erased since an earlier manifest would be found again: it is not believed at once. */
  function believed(read: ManifestState): ManifestState {
    if (state === null || !isEarlier(read.manifest, state.manifest)) {
      wentBackAt = null;
      return read;
    }
    wentBackAt ??= now();
    if (now() - wentBackAt >= BACKWARDS_MS_MAX) return read;
    return { ...state, wentBack: true };
  }

  /** No request waits for another's read: workerd forbids it, two small reads cost less than one hang. */
  async function readAgain(limits: ReadLimits): Promise<ManifestState | null> {
    const startedAt = now();
    const known = state;
    const read = await attempt(async () => {
      const object = await bucket.get(
        key,
        known === null ? {} : { onlyIf: { etagDoesNotMatch: known.etag } },
      );
      if (object === null) return null;
      return "body" in object ? { text: await object.text(), etag: object.etag } : "unchanged";
    }, limits);
    // Another read, begun later, has told more already.
    if (startedAt < stateOfReadAt) return state;
    const next =
      read === null
        ? null
        : read === "unchanged"
          ? known && { ...known, wentBack: false }
          : believed(await stateOf(read.text, read.etag, known));
    state = next;
    stateOfReadAt = startedAt;
    checkedAt = Math.max(checkedAt, startedAt);
    return state;
  }

  return {
    held: () => state,
    isFresh: () => now() - checkedAt < MANIFEST_AGE_MS_MAX,
    async read({ ageMsMax = MANIFEST_AGE_MS_MAX, limits = unboundLimits(), defer } = {}) {
      const ageMs = now() - checkedAt;
      if (ageMs >= ageMsMax) return readAgain(limits);
      if (defer !== undefined && ageMs >= AHEAD_AGE_MS && now() - aheadAt >= AHEAD_AGE_MS) {
        aheadAt = now();
        defer(readAgain(limits).catch(() => null));
      }
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
  return { manifest, etag, contentKey, hidden, dead: deadIn(manifest.base, known), wentBack: false };
}

function isEarlier(read: ColdManifest, known: ColdManifest): boolean {
  if (read.model !== known.model) return false;
  const order = compareFences(read.watermark, known.watermark);
  return order < 0 || (order === 0 && read.generation < known.generation);
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
