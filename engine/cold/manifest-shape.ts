import type { BaseFile } from "./base/piece.ts";

/** One segment of a generation. */
export interface ManifestSegment {
  readonly key: string;
  readonly bytes: number;
  readonly passages: number;
  readonly documents: number;
  /** CRC-32C of the object, eight hexadecimal digits. */
  readonly checksum: string;
  /** Documents in this segment that must not be found: withdrawn, or in a later segment anew. */
  readonly tombstones: readonly string[];
}

/** The part of a generation that holds the bulk: lists around centroids, read by range. */
export interface ManifestBase {
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
}

/** What a generation of a cold index consists of. */
export interface ColdManifest {
  readonly format: 2;
  readonly generation: number;
  readonly model: string;
  readonly dimensions: number;
  readonly watermark: { readonly epoch: number; readonly sequence: string };
  readonly watermark_at: string;
  /** Of a model that is being prepared: from this sequence on the copies are whole. Missing where they always were. */
  readonly whole_at?: string;
  readonly statistics: { readonly version: string; readonly key: string; readonly checksum: string } | null;
  /** Null while the segments are few enough to be scanned. */
  readonly base: ManifestBase | null;
  /** The tail: what came since the base was made, scanned exactly. */
  readonly segments: readonly ManifestSegment[];
  /** Objects that earlier generations referred to, and since when none does. */
  readonly garbage: readonly { readonly key: string; readonly since: string }[];
}
