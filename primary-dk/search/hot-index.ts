/** The passages that this site holds, in memory, level with the log. */
import type { Network } from "@kattegat/config/network.ts";
import { createPassageIndex, type PassageIndex } from "@kattegat/engine/index/passage-index.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { CommittedEffect } from "../documents/operation.ts";
import type { LoadedPassage } from "../documents/passage-rows.ts";
import type { CommittedGroup } from "../documents/transaction.ts";
import type { Pacer } from "../pacer.ts";
import type { Placements } from "../documents/placements.ts";
import type { DocumentState } from "../documents/state.ts";

/** Fields that every search or many filters match on. */
const KEYWORD_FIELDS = ["tier", "residency", "collection", "lang", "document_id"] as const;

/** Passages indexed in one go, about 15 ms: nearly every law is seen whole or not at all. */
const WHOLE_PASSAGES_MAX = 256;

export class HotIndex {
  readonly #placements: Placements;
  readonly #site: string;
  readonly #index: PassageIndex;
  /** Passages of each document held. */
  readonly #held = new Map<string, number>();

  constructor(options: {
    readonly network: Network;
    readonly placements: Placements;
    readonly site: string;
    readonly scanner: Scanner;
  }) {
    this.#placements = options.placements;
    this.#site = options.site;
    this.#index = createPassageIndex({
      dimensions: options.network.embedding.dimensions,
      scanner: options.scanner,
      keywordFields: KEYWORD_FIELDS,
    });
  }

  get index(): PassageIndex {
    return this.#index;
  }

  get documents(): number {
    return this.#held.size;
  }

  holds(state: DocumentState): boolean {
    return this.#placements.holders(state).includes(this.#site);
  }

  /** Resolves when every passage of the document is in the index; only a very long one is ever seen in part. */
  async put(state: DocumentState, passages: readonly LoadedPassage[], pacer: Pacer): Promise<void> {
    const payload = payloadOf(state);
    this.remove(state.id);
    for (let from = 0; from < passages.length; from += WHOLE_PASSAGES_MAX) {
      if (from > 0) await pacer.breathe();
      const part = passages.slice(from, from + WHOLE_PASSAGES_MAX);
      this.#index.upsert(
        part.map(({ ordinal, dense, sparse }) => ({
          id: `${state.id}#${ordinal}`,
          group: state.id,
          order: ordinal,
          dense,
          sparse,
          payload: { ...payload, ordinal },
        })),
      );
      this.#held.set(state.id, from + part.length);
    }
  }

  remove(id: string): void {
    const count = this.#held.get(id);
    if (count === undefined) return;
    this.#index.remove(Array.from({ length: count }, (_, index) => `${id}#${index + 1}`));
    this.#held.delete(id);
  }

  /** Applies one committed effect. */
  async apply(
    { before, after, content }: CommittedEffect,
    { loaded, pacer }: { readonly loaded: CommittedGroup["loaded"]; readonly pacer: Pacer },
  ): Promise<void> {
    if (after === null || !this.holds(after)) {
      const id = after?.id ?? before?.id;
      if (id !== undefined) this.remove(id);
      return;
    }
    await this.put(after, content?.passages ?? loaded.get(after.id) ?? this.#standing(after.id), pacer);
  }

  #standing(id: string): LoadedPassage[] {
    return Array.from({ length: this.#held.get(id) ?? 0 }, (_, index) => {
      const point = this.#index.get(`${id}#${index + 1}`);
      if (point?.dense === undefined || point.dense === null || point.sparse === null)
        throw new RangeError("the index lost a passage that it holds");
      return { ordinal: index + 1, dense: point.dense, sparse: point.sparse satisfies SparseVector };
    });
  }
}

/** The payload of every tier, without the texts, which are read from Postgres. */
function payloadOf(state: DocumentState): Record<string, unknown> {
  return {
    document_id: state.id,
    version: state.version,
    collection: state.collection,
    residency: state.residency,
    tier: state.tier,
    lang: state.lang,
    ...(state.published_at === null ? {} : { published_at: state.published_at }),
    title: state.title,
    metadata: state.metadata,
  };
}
