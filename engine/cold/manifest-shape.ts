import type { Fence } from "@kattegat/protocol/sequence.ts";
import type { BaseFile } from "./base/piece.ts";

/** Since when an object has had documents that must not be found. */
export interface Hidden {
  /** The log's state before the first of them was hidden: of what was withdrawn up to it, nothing is here. */
  readonly after: Fence;
  readonly since: string;
}

/** What locations may still have in their caches of objects that are deleted. */
export interface Fading {
  /** Of what was withdrawn up to here, they have nothing. */
  readonly after: Fence;
  readonly until: string;
}

/** What an object of the cold tier says of the caches of locations. */
export interface Cached {
  /** An edge lets them keep what it made of the object for so long at most; missing where an edge may not know that. */
  readonly cache_seconds?: number;
}

/** An object that no generation refers to. */
export interface Garbage extends Cached {
  readonly key: string;
  readonly since: string;
  /** Of what was withdrawn up to here, it has nothing. */
  readonly after?: Fence;
}

/** One segment of a generation. */
export interface ManifestSegment extends Cached {
  readonly key: string;
  readonly bytes: number;
  readonly passages: number;
  readonly documents: number;
  /** CRC-32C of the object, eight hexadecimal digits. */
  readonly checksum: string;
  /** Documents in this segment that must not be found: withdrawn, or in a later segment anew. */
  readonly tombstones: readonly string[];
  readonly hidden?: Hidden;
}

/** The part of a generation that holds the bulk: lists around centroids, read by range. */
export interface ManifestBase extends Cached {
  /** What the key of each of its objects begins with. */
  readonly key: string;
  /** The resident part, which is read whole. */
  readonly root: { readonly bytes: number; readonly checksum: string };
  /** How many volumes each file has. */
  readonly volumes: Readonly<Record<BaseFile, number>>;
  readonly passages: number;
  readonly documents: number;
  /** Numbers of the documents that must not be found, as `encodeNumbers` writes them. */
  readonly tombstones: string;
  /** How many those are. */
  readonly dead: number;
  readonly hidden?: Hidden;
}

/** What a generation of a cold index consists of. */
export interface ColdManifest {
  readonly format: 2;
  readonly generation: number;
  readonly model: string;
  readonly dimensions: number;
  readonly watermark: Fence;
  readonly watermark_at: string;
  /** Of a model that is being prepared: from this sequence on the copies are whole. Missing where they always were. */
  readonly whole_at?: string;
  readonly statistics: { readonly version: string; readonly key: string; readonly checksum: string } | null;
  /** Null while the segments are few enough to be scanned. */
  readonly base: ManifestBase | null;
  /** The tail: what came since the base was made, scanned exactly. */
  readonly segments: readonly ManifestSegment[];
  /** Objects that earlier generations referred to, and since when none does. */
  readonly garbage: readonly Garbage[];
  readonly fading?: readonly Fading[];
}
