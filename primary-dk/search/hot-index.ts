/** The passages that this site holds, in memory, level with the log. */
import type { Network } from "@kattegat/config/network.ts";
import { createPassageIndex, type PassageIndex } from "@kattegat/engine/index/passage-index.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { CommittedGroup, LoadedPassage } from "../documents/transaction.ts";
import { holdersOf, type DocumentState } from "../documents/state.ts";

/** Fields that every search or many filters match on. */
const KEYWORD_FIELDS = ["tier", "residency", "collection", "lang", "document_id"] as const;

export class HotIndex {
  readonly #network: Network;
  readonly #site: string;
  readonly #index: PassageIndex;
  /** Passages of each document held. */
  readonly #held = new Map<string, number>();

  constructor(options: { readonly network: Network; readonly site: string; readonly scanner: Scanner }) {
    this.#network = options.network;
    this.#site = options.site;
    this.#index = createPassageIndex({ dimensions: options.network.embedding.dimensions, scanner: options.scanner, keywordFields: KEYWORD_FIELDS });
  }

  get index(): PassageIndex {
    return this.#index;
  }

  get documents(): number {
    return this.#held.size;
  }

  holds(state: DocumentState): boolean {
    return holdersOf(state, this.#network).includes(this.#site);
  }

  /** Puts a document as a rebuild reads it. */
  put(state: DocumentState, passages: readonly LoadedPassage[]): void {
    const payload = payloadOf(state);
    this.remove(state.id);
    this.#index.upsert(
      passages.map(({ ordinal, dense, sparse }) => ({ id: `${state.id}#${ordinal}`, group: state.id, order: ordinal, dense, sparse, payload: { ...payload, ordinal } })),
    );
    this.#held.set(state.id, passages.length);
  }

  remove(id: string): void {
    const count = this.#held.get(id);
    if (count === undefined) return;
    this.#index.remove(Array.from({ length: count }, (_, index) => `${id}#${index + 1}`));
    this.#held.delete(id);
  }

  /** Applies one committed group; searches between two groups see whole documents only. */
  apply(group: CommittedGroup): void {
    for (const { before, after, content } of group.effects) {
      if (after === null || !this.holds(after)) {
        const id = after?.id ?? before?.id;
        if (id !== undefined) this.remove(id);
        continue;
      }
      this.put(after, content?.passages ?? group.loaded.get(after.id) ?? this.#standing(after.id));
    }
  }

  #standing(id: string): LoadedPassage[] {
    return Array.from({ length: this.#held.get(id) ?? 0 }, (_, index) => {
      const point = this.#index.get(`${id}#${index + 1}`);
      if (point?.dense === undefined || point.dense === null || point.sparse === null) throw new RangeError("the index lost a passage that it holds");
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
