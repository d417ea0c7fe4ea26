/** The passages that this site holds, level with the log: in memory, but for those that a base on the disk has unchanged. */
import { createPassageIndex, type PassageIndex } from "@kattegat/engine/index/passage-index.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { LiveBase } from "../cold/live-base.ts";
import type { CommittedEffect } from "../documents/operation.ts";
import type { LoadedPassage } from "../documents/passage-rows.ts";
import type { CommittedGroup } from "../documents/transaction.ts";
import type { Pacer } from "../pacer.ts";
import type { Placed, Placements } from "../documents/placements.ts";
import { payloadOf, type DocumentState } from "../documents/state.ts";

/** Fields that every search or many filters match on. */
const KEYWORD_FIELDS = ["tier", "residency", "collection", "lang", "document_id"] as const;

/** Passages indexed in one go, about 15 ms: nearly every law is seen whole or not at all. */
const WHOLE_PASSAGES_MAX = 256;

/** A document in memory. */
interface Held {
  readonly version: string;
  readonly passages: number;
  /** False while its passages are still being indexed. */
  readonly isWhole: boolean;
  /** Whether it belongs into a base. */
  readonly isCold: boolean;
}

/** A document of the index, wherever its passages rest. */
export interface HeldCopy {
  readonly store: "memory" | "disk";
  readonly id: string;
  readonly version: string;
  readonly class: string;
  readonly passages: number | null;
  readonly hidden: boolean;
}

/** Resolves with the passages of a document as Postgres has them. */
export type LoadPassages = (id: string) => Promise<readonly LoadedPassage[]>;

export class HotIndex {
  readonly #placements: Placements;
  readonly #site: string;
  readonly #index: PassageIndex;
  readonly #load: LoadPassages;
  readonly #held = new Map<string, Held>();
  #base: LiveBase | null;
  #tailPassages = 0;

  constructor(options: {
    /** Of the vectors. */
    readonly dimensions: number;
    readonly placements: Placements;
    readonly site: string;
    readonly scanner: Scanner;
    readonly load: LoadPassages;
    readonly base: LiveBase | null;
  }) {
    this.#placements = options.placements;
    this.#site = options.site;
    this.#load = options.load;
    this.#base = options.base;
    this.#index = createPassageIndex({
      dimensions: options.dimensions,
      scanner: options.scanner,
      keywordFields: KEYWORD_FIELDS,
    });
  }

  get index(): PassageIndex {
    return this.#index;
  }

  /** The base, whose documents are not in memory; null while there is none. */
  get base(): LiveBase | null {
    return this.#base;
  }

  /** Cold passages in memory that a new base would take in. */
  get tailPassages(): number {
    return this.#tailPassages;
  }

  get documents(): number {
    return this.#held.size + (this.#base?.documents ?? 0);
  }

  /** Whether any passage of the document can be found here. */
  has(id: string): boolean {
    return this.#held.has(id) || this.#base?.has(id) === true;
  }

  holds(state: Placed): boolean {
    return this.#placements.holders(state).includes(this.#site);
  }

  /** Resolves when every passage of the document is in the index; only a very long one is ever seen in part. */
  async put(state: DocumentState, passages: readonly LoadedPassage[], pacer: Pacer): Promise<void> {
    this.remove(state.id);
    for (let from = 0; from < passages.length; from += WHOLE_PASSAGES_MAX) {
      if (from > 0) await pacer.breathe();
      this.#insert(state, passages, { from, to: from + WHOLE_PASSAGES_MAX });
    }
  }

  /** Takes a document that the base shows into memory instead; leaves one that has changed since it was read. */
  takeOver(state: DocumentState, passages: readonly LoadedPassage[]): void {
    if (this.#base?.has(state.id) !== true) return;
    this.remove(state.id);
    if (this.holds(state)) this.#insert(state, passages, { from: 0, to: passages.length });
  }

  remove(id: string): void {
    this.#base?.hide(id);
    this.#forget(id);
  }

  /**
   * Takes the base for the documents that it has unchanged; resolves when they have left memory.
   *
   * The log must be applied up to the state that the base was read from. Each document is found at every moment, in one place.
   */
  async adopt(next: LiveBase, pacer: Pacer): Promise<void> {
    const previous = this.#base;
    const showSame = previous === null ? null : await next.successorOf(previous, pacer);
    showSame?.();
    this.#base = next;
    previous?.leave();
    for (const [id, { version, isWhole, isCold }] of this.#held) {
      if (!isWhole || !isCold || !next.holds(id, version)) continue;
      this.#forget(id);
      next.show(id);
      await pacer.breathe();
    }
  }

  /** Gives the base up once it shows no document. */
  dropBase(): void {
    if (this.#base === null) return;
    if (this.#base.documents > 0) throw new RangeError("expected a base without documents");
    this.#base.leave();
    this.#base = null;
  }

  /** Applies one committed effect. */
  async apply(
    { before, after, content, stray }: CommittedEffect,
    { loaded, pacer }: { readonly loaded: CommittedGroup["loaded"]; readonly pacer: Pacer },
  ): Promise<void> {
    if (after === null || !this.holds(after)) {
      const id = after?.id ?? before?.id ?? stray?.id;
      if (id !== undefined) this.remove(id);
      return;
    }
    const near = content?.passages ?? loaded.get(after.id) ?? this.#standing(after.id);
    await this.put(after, near ?? (await this.#load(after.id)), pacer);
  }

  /** What a search may find here of the document; null for nothing. */
  copyOf(id: string): HeldCopy | null {
    const held = this.#held.get(id);
    if (held !== undefined) return this.#copyInMemory(id, held);
    const copy = this.#base?.copyOf(id) ?? null;
    return copy === null || copy.hidden ? null : { store: "disk", passages: null, ...copy };
  }

  /** Every document that a search may find here, and those that rest in the base hidden. */
  *copies(): Generator<HeldCopy> {
    for (const [id, held] of this.#held) yield this.#copyInMemory(id, held);
    const { base } = this;
    if (base === null) return;
    for (const copy of base.copies()) yield { store: "disk", passages: null, ...copy };
  }

  #copyInMemory(id: string, { version, passages }: Held): HeldCopy {
    const residency = this.#index.get(`${id}#1`)?.payload["residency"];
    return { store: "memory", id, version, class: String(residency ?? ""), passages, hidden: false };
  }

  #insert(
    state: DocumentState,
    passages: readonly LoadedPassage[],
    { from, to }: { readonly from: number; readonly to: number },
  ): void {
    const payload = payloadOf(state);
    const part = passages.slice(from, to);
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
    const isCold = state.tier === "cold" && state.moving_from === null;
    if (isCold) this.#tailPassages += part.length;
    this.#held.set(state.id, {
      version: state.version,
      passages: from + part.length,
      isWhole: to >= passages.length,
      isCold,
    });
  }

  #forget(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#index.remove(Array.from({ length: held.passages }, (_, index) => `${id}#${index + 1}`));
    this.#held.delete(id);
    if (held.isCold) this.#tailPassages -= held.passages;
  }

  /** The passages that stand in memory; null when they are elsewhere. */
  #standing(id: string): LoadedPassage[] | null {
    const held = this.#held.get(id);
    if (held === undefined) return null;
    return Array.from({ length: held.passages }, (_, index) => {
      const point = this.#index.get(`${id}#${index + 1}`);
      if (point?.dense === undefined || point.dense === null || point.sparse === null)
        throw new RangeError("the index lost a passage that it holds");
      return { ordinal: index + 1, dense: point.dense, sparse: point.sparse satisfies SparseVector };
    });
  }
}
