import type { SparseVector } from "../lexical/bm25.ts";

/** A passage as a cold segment stores it. */
export interface ColdPassage {
  readonly documentId: string;
  readonly ordinal: number;
  readonly version: string;
  readonly epoch: number;
  readonly residency: string;
  readonly collection: string;
  readonly dense: Float32Array;
  readonly sparse: SparseVector;
  readonly title: string;
  readonly text: string;
  readonly lang: string | null;
  /** RFC 3339 in UTC. */
  readonly publishedAt: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}
