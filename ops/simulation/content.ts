/** Documents as writers of a simulated history make them. */
import type { TierName } from "@kattegat/config/network.ts";
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import type { DocumentRecord } from "@kattegat/protocol/changes.ts";
import type { DocumentContent } from "@kattegat/primary-dk/documents/content.ts";
import type { PreparedPassage } from "@kattegat/primary-dk/documents/passages.ts";
import type { DocumentState } from "@kattegat/primary-dk/documents/state.ts";

/** The kernel scans eight numbers at once. */
export const DIMENSIONS = 8;

/** Why no site takes the document: a vector that is none, or a body that the door of a regional refuses. */
export type Poison = "vector" | "body" | null;

export interface Draft {
  readonly id: string;
  /** Different for each write. */
  readonly serial: number;
  readonly residency: string;
  readonly tier: TierName | null;
  readonly importance: number;
  readonly passages: number;
  readonly poison: Poison;
}

export interface Content {
  readonly value: DocumentContent;
  readonly prepared: readonly PreparedPassage[];
  readonly records: DocumentRecord["passages"];
  readonly poison: Poison;
}

const SPARSE = {
  indices: encodeIntegers(Uint32Array.of(7, 9)),
  values: encodeFloats(Float32Array.of(1, 0.5)),
};

export function contentOf(draft: Draft): Content {
  const { id, serial, residency, tier, importance, poison } = draft;
  const text = `text ${serial}`;
  const vector = new Float32Array(DIMENSIONS);
  vector[serial % DIMENSIONS] = 1;
  const dense = encodeFloats(poison === "vector" ? vector.subarray(0, 3) : vector);
  const ordinals = Array.from({ length: draft.passages }, (_, index) => index + 1);
  return {
    value: {
      id,
      collection: "default",
      title: `title ${serial}`,
      text,
      lang: "da",
      residency,
      metadata: {},
      importance,
      published_at: null,
      pinned_tier: tier,
      passages: null,
      model: "simulated",
      digest: `digest-${serial}`.padEnd(64, "0"),
    },
    prepared: ordinals.map((ordinal) => ({
      ordinal,
      start: 0,
      end: text.length,
      ownText: null,
      heading: null,
      dense: vector,
      denseNext: null,
      sparse: { indices: new Uint32Array(0), values: new Float32Array(0) },
    })),
    records: ordinals.map((ordinal) => ({ ordinal, text, dense, sparse: SPARSE })),
    poison,
  };
}

export function recordOf(state: DocumentState, { records }: Content): DocumentRecord {
  const { id, version, collection, title, lang, residency, tier, metadata, digest, published_at } = state;
  return {
    id,
    version,
    collection,
    title,
    lang,
    residency,
    tier,
    metadata: { ...metadata },
    digest,
    published_at,
    passages: records,
  };
}
