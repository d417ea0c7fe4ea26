/** Which segment holds the visible copy of each document. */
import type { ColdManifest } from "@kattegat/engine/cold/manifest.ts";

export interface DocumentVersion {
  readonly documentId: string;
  readonly version: string;
}

export interface HeldCopy {
  readonly segment: string;
  readonly version: string;
}

export interface ColdTable {
  /** Makes the table that of the manifest; reads only the segments that it has not seen. */
  sync(manifest: ColdManifest, signal: AbortSignal): Promise<void>;
  /** Tells the documents of a segment that was just made here, so that `sync` need not read it. */
  learn(segment: string, documents: readonly DocumentVersion[]): void;
  /** The copy that a reader of the synced manifest sees. */
  copyOf(documentId: string): HeldCopy | null;
}

/** Uploads under way: a batch and a merge; the rest was never published. */
const PENDING_MAX = 8;

/**
 * A cache of what the segments themselves say, about 150 bytes a document: lost with the process, rebuilt from the target.
 */
export function createColdTable(
  read: (segment: string, bytes: number, signal: AbortSignal) => Promise<readonly DocumentVersion[]>,
): ColdTable {
  const segments = new Map<string, readonly DocumentVersion[]>();
  const pending = new Map<string, readonly DocumentVersion[]>();
  const tombstones = new Map<string, number>();
  const copies = new Map<string, HeldCopy>();

  function add(segment: string, hidden: ReadonlySet<string>): void {
    for (const { documentId, version } of segments.get(segment) ?? []) {
      if (!hidden.has(documentId)) copies.set(documentId, { segment, version });
    }
  }

  function remove(segment: string): void {
    for (const { documentId } of segments.get(segment) ?? []) {
      if (copies.get(documentId)?.segment === segment) copies.delete(documentId);
    }
    segments.delete(segment);
    tombstones.delete(segment);
  }

  return {
    async sync(manifest, signal) {
      for (const { key, bytes } of manifest.segments) {
        if (segments.has(key) || pending.has(key)) continue;
        pending.set(key, await read(key, bytes, signal));
      }
      const named = new Set(manifest.segments.map(({ key }) => key));
      for (const key of segments.keys()) if (!named.has(key)) remove(key);
      for (const { key, tombstones: hidden } of manifest.segments) {
        const isNew = !segments.has(key);
        if (isNew) segments.set(key, pending.get(key) ?? []);
        if (isNew) add(key, new Set(hidden));
        else if (tombstones.get(key) !== hidden.length) {
          for (const id of hidden) if (copies.get(id)?.segment === key) copies.delete(id);
        }
        tombstones.set(key, hidden.length);
      }
      for (const key of named) pending.delete(key);
    },
    learn(segment, documents) {
      pending.set(segment, documents);
      const [oldest] = pending.keys();
      if (pending.size > PENDING_MAX && oldest !== undefined) pending.delete(oldest);
    },
    copyOf(documentId) {
      return copies.get(documentId) ?? null;
    },
  };
}
