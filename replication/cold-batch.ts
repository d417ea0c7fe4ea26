/** What a batch of changes means for a cold tier. */
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { decodeFloats, decodeIntegers } from "@kattegat/protocol/base64.ts";
import type { ApplyResponse, Change, DocumentRecord } from "@kattegat/protocol/changes.ts";

type Refusal = ApplyResponse["refused"][number];

export interface ColdBatch {
  /** The last word on each document that was put; each id is in `hidden` too. */
  readonly puts: readonly {
    readonly documentId: string;
    readonly version: string;
    readonly passages: readonly ColdPassage[];
  }[];
  /** Documents of which no older copy may stay. */
  readonly hidden: ReadonlySet<string>;
  readonly refused: readonly Refusal[];
}

/** Returns why this site takes no copy of the document, or null. */
export type Refuse = (document: DocumentRecord) => Omit<Refusal, "sequence"> | null;

/** A refused put hides like a withdraw: the copy that it replaces may not be shown any more. */
export function readBatch(changes: readonly Change[], refuse: Refuse): ColdBatch {
  const puts = new Map<string, ColdBatch["puts"][number]>();
  const hidden = new Set<string>();
  const refused: Refusal[] = [];
  for (const change of changes) {
    if (change.kind === "skip") continue;
    hidden.add(change.document_id);
    puts.delete(change.document_id);
    if (change.kind === "withdraw") continue;
    const refusal = refuse(change.document) ?? null;
    const passages = refusal === null ? passagesOf(change.document, change.epoch) : null;
    if (passages === null || typeof passages === "string") {
      refused.push({
        sequence: change.sequence,
        ...(refusal ?? { code: "bad_vector", detail: String(passages) }),
      });
    } else if (passages.length > 0) {
      puts.set(change.document_id, {
        documentId: change.document_id,
        version: change.document.version,
        passages,
      });
    }
  }
  return { puts: [...puts.values()], hidden, refused };
}

/** The passages as a segment keeps them, or what is wrong with their vectors. */
function passagesOf(document: DocumentRecord, epoch: number): ColdPassage[] | string {
  const passages: ColdPassage[] = [];
  for (const { ordinal, text, dense, sparse } of document.passages) {
    const vectors = {
      dense: floatsOf(dense),
      indices: integersOf(sparse.indices),
      values: floatsOf(sparse.values),
    };
    if (vectors.dense === null || vectors.indices === null || vectors.values === null)
      return `passage ${ordinal}: its vectors are no vectors`;
    if (vectors.indices.length !== vectors.values.length)
      return `passage ${ordinal}: its sparse vector has unequal halves`;
    passages.push({
      documentId: document.id,
      ordinal,
      version: document.version,
      epoch,
      residency: document.residency,
      collection: document.collection,
      dense: vectors.dense,
      sparse: { indices: vectors.indices, values: vectors.values },
      title: document.title,
      text,
      lang: document.lang,
      publishedAt: document.published_at,
      metadata: document.metadata,
    });
  }
  return passages;
}

function floatsOf(text: string): Float32Array | null {
  try {
    return decodeFloats(text);
  } catch {
    return null;
  }
}

function integersOf(text: string): Uint32Array | null {
  try {
    return decodeIntegers(text);
  } catch {
    return null;
  }
}
