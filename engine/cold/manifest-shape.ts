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

/** What a generation of a cold index consists of. */
export interface ColdManifest {
  readonly format: 1;
  readonly generation: number;
  readonly model: string;
  readonly dimensions: number;
  readonly watermark: { readonly epoch: number; readonly sequence: string };
  readonly watermark_at: string;
  readonly statistics: { readonly version: string; readonly key: string; readonly checksum: string } | null;
  readonly segments: readonly ManifestSegment[];
  /** Objects that earlier generations referred to, and since when none does. */
  readonly garbage: readonly { readonly key: string; readonly since: string }[];
}
