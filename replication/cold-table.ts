/** Which object holds the visible copy of each document. */
import type { ColdManifest, ManifestBase, ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";

export interface DocumentVersion {
  readonly documentId: string;
  readonly version: string;
}

export interface HeldCopy {
  /** The key of a segment, or of the base. */
  readonly segment: string;
  readonly version: string;
  /** The document's place in what the object lists; in a base this is its number. */
  readonly number: number;
}

export interface ColdTable {
  /** Makes the table that of the manifest; reads only the objects that it has not seen. */
  sync(manifest: ColdManifest, signal: AbortSignal): Promise<void>;
  /** Tells the documents of a segment or base that was just made here, so that `sync` need not read it. */
  learn(segment: string, documents: readonly DocumentVersion[]): void;
  /** The copy that a reader of the synced manifest sees. */
  copyOf(documentId: string): HeldCopy | null;
  /** The document at this place in what the object lists, hidden ones included. */
  idOf(segment: string, number: number): string | null;
}

/** Reads what an object lists, a base's documents in the order of their numbers. */
export interface ColdTableSources {
  segment(segment: ManifestSegment, signal: AbortSignal): Promise<readonly DocumentVersion[]>;
  base(base: ManifestBase, signal: AbortSignal): Promise<readonly DocumentVersion[]>;
}

/** Uploads under way: a batch, a merge, a base; the rest was never published. */
const PENDING_MAX = 8;

/** What of an object is hidden, in the two ways in which a manifest says so. */
interface Hidden {
  /** Ids of a segment's documents. */
  readonly ids: ReadonlySet<string>;
  /** Numbers of a base's. */
  readonly numbers: ReadonlySet<number>;
}

/**
 * A cache of what the objects themselves say, about 150 bytes a document: lost with the process, rebuilt from the target.
 */
export function createColdTable(read: ColdTableSources): ColdTable {
  const listed = new Map<string, readonly DocumentVersion[]>();
  const pending = new Map<string, readonly DocumentVersion[]>();
  /** What of each object was hidden: it only grows, but for a manifest that came back from a backup. */
  const seen = new Map<string, Hidden>();
  const copies = new Map<string, HeldCopy>();

  /** Without the hidden: a merge lists documents that a later object has already replaced. */
  function add(key: string, hidden: Hidden): void {
    for (const [number, { documentId, version }] of (listed.get(key) ?? []).entries())
      if (!hidden.ids.has(documentId) && !hidden.numbers.has(number))
        copies.set(documentId, { segment: key, version, number });
  }

  function hide(key: string, { ids, numbers }: Hidden): void {
    const documents = listed.get(key) ?? [];
    const named = [...numbers].map((number) => documents[number]?.documentId ?? "");
    for (const documentId of [...ids, ...named])
      if (copies.get(documentId)?.segment === key) copies.delete(documentId);
  }

  function remove(key: string): void {
    for (const { documentId } of listed.get(key) ?? []) {
      if (copies.get(documentId)?.segment === key) copies.delete(documentId);
    }
    listed.delete(key);
    seen.delete(key);
  }

  async function fetchMissing({ base, segments }: ColdManifest, signal: AbortSignal): Promise<void> {
    const isMissing = (key: string): boolean => !listed.has(key) && !pending.has(key);
    if (base !== null && isMissing(base.key)) pending.set(base.key, await read.base(base, signal));
    for (const segment of segments)
      if (isMissing(segment.key)) pending.set(segment.key, await read.segment(segment, signal));
  }

  return {
    async sync(manifest, signal) {
      await fetchMissing(manifest, signal);
      const hidden = hiddenIn(manifest);
      for (const key of listed.keys()) if (!hidden.has(key)) remove(key);
      for (const [key, its] of hidden) {
        const before = seen.get(key);
        if (before !== undefined && listed.has(key)) {
          if (its.ids.isSupersetOf(before.ids) && its.numbers.isSupersetOf(before.numbers)) hide(key, its);
          else add(key, its);
        } else {
          listed.set(key, pending.get(key) ?? []);
          add(key, its);
        }
        seen.set(key, its);
      }
      for (const key of hidden.keys()) pending.delete(key);
    },
    learn(segment, documents) {
      pending.set(segment, documents);
      const [oldest] = pending.keys();
      if (pending.size > PENDING_MAX && oldest !== undefined) pending.delete(oldest);
    },
    copyOf(documentId) {
      return copies.get(documentId) ?? null;
    },
    idOf(segment, number) {
      return listed.get(segment)?.[number]?.documentId ?? null;
    },
  };
}

/** By key, the base first: what a later object lists replaces what an earlier one does. */
function hiddenIn({ base, segments }: ColdManifest): ReadonlyMap<string, Hidden> {
  const none = { ids: new Set<string>(), numbers: new Set<number>() };
  const hidden = new Map<string, Hidden>();
  if (base !== null) hidden.set(base.key, { ...none, numbers: new Set(decodeNumbers(base.tombstones)) });
  for (const { key, tombstones } of segments) hidden.set(key, { ...none, ids: new Set(tombstones) });
  return hidden;
}
