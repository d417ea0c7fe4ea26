/** A base with the documents of it that must not be found. */
import type { DeadDocuments } from "@kattegat/engine/cold/base/base-index.ts";
import { fullBitmap } from "@kattegat/engine/cold/base/documents/document-bitmap.ts";
import { baseFilterOf, type ColdLimits } from "@kattegat/engine/cold/cold-filter.ts";
import { ColdFormatError } from "@kattegat/engine/cold/format-error.ts";
import { clearBit, hasBit, setBit, type Bitmap } from "@kattegat/engine/index/bitmap.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Candidate } from "@kattegat/protocol/site-search.ts";
import type { Pacer } from "../pacer.ts";
import type { OpenBase } from "./open-base.ts";

export interface BaseQuestion extends ColdLimits {
  readonly dense: Float32Array | null;
  readonly lexical: SparseVector | null;
  readonly limit: number;
  readonly grouped: boolean;
}

export interface BaseFinding {
  readonly dense: readonly Candidate[];
  readonly lexical: readonly Candidate[];
  /** Pieces that could not be read: something may be missing when there are any. */
  readonly missing: number;
}

export interface BaseCopy {
  readonly id: string;
  readonly version: string;
  readonly class: string;
  /** Whether it rests there without being found. */
  readonly hidden: boolean;
}

export class LiveBase {
  readonly open: OpenBase;
  readonly #leave: () => void;
  #dead: Bitmap;
  #deadCount = 0;
  /** Goes up with each change of the dead, whose name it is. */
  #turn = 0;
  /** Whether a search still reads the bitmap as it is. */
  #isShared = false;

  /** No document can be found until it is shown. */
  constructor(open: OpenBase) {
    const { documents } = open.table;
    this.open = open;
    this.#leave = open.use();
    this.#dead = fullBitmap(documents);
    this.#deadCount = documents;
  }

  get documents(): number {
    return this.open.table.documents - this.#deadCount;
  }

  /** Documents that can no longer be found but rest in the files. */
  get dead(): number {
    return this.#deadCount;
  }

  has(id: string): boolean {
    const number = this.open.table.numberOf(id);
    return number !== undefined && !hasBit(this.#dead, number);
  }

  /** Whether the base holds this version, shown or not. */
  holds(id: string, version: string): boolean {
    const { table } = this.open;
    const number = table.numberOf(id);
    return number !== undefined && table.versionOf(number) === version;
  }

  /** Ids of the documents that can be found. */
  *ids(): Generator<string> {
    const { table } = this.open;
    for (let number = 0; number < table.documents; number += 1)
      if (!hasBit(this.#dead, number)) yield table.idOf(number);
  }

  /** Null for a document that the files do not have. */
  copyOf(id: string): BaseCopy | null {
    const number = this.open.table.numberOf(id);
    return number === undefined ? null : this.#copyAt(number);
  }

  /** Every document in the files, found or not. */
  *copies(): Generator<BaseCopy> {
    const { table } = this.open;
    for (let number = 0; number < table.documents; number += 1) yield this.#copyAt(number);
  }

  #copyAt(number: number): BaseCopy {
    const { table } = this.open;
    return {
      id: table.idOf(number),
      version: table.versionOf(number),
      class: table.residencyOf(number),
      hidden: hasBit(this.#dead, number),
    };
  }

  /** Resolves with what shows, at once, the documents that `other` then shows: looking ids up takes longer than searches may wait. */
  async successorOf(other: LiveBase, pacer: Pacer): Promise<() => void> {
    const theirs = other.open.table;
    const numbers = new Int32Array(theirs.documents);
    for (let number = 0; number < numbers.length; number += 1) {
      numbers[number] = this.open.table.numberOf(theirs.idOf(number)) ?? -1;
      if (number % 1_024 === 0) await pacer.breathe();
    }
    return () => {
      for (let number = 0; number < numbers.length; number += 1)
        if (!hasBit(other.#dead, number)) this.#show(numbers[number] ?? -1);
    };
  }

  show(id: string): void {
    this.#show(this.open.table.numberOf(id) ?? -1);
  }

  hide(id: string): void {
    const number = this.open.table.numberOf(id);
    if (number === undefined || hasBit(this.#dead, number)) return;
    setBit(this.#changed(), number);
    this.#deadCount += 1;
  }

  /** Searches the documents that can be found at the call, whatever changes until it resolves. */
  async search(question: BaseQuestion): Promise<BaseFinding> {
    const { base, read, use } = this.open;
    const leave = use();
    this.#isShared = true;
    const dead: DeadDocuments = { name: String(this.#turn), documents: this.#dead };
    try {
      const answer = await base.search({
        dense: question.dense,
        lexical: question.lexical,
        filter: baseFilterOf(base.documents, question),
        dead,
        depth: question.limit,
        // The table names them all.
        page: 0,
        grouped: question.grouped,
        probes: null,
        near: true,
        read,
      });
      if (answer.missing > 0) this.open.damaged();
      const candidates = (list: typeof answer.dense): readonly Candidate[] =>
        list.map(({ row, document, score }) => this.#candidate(row, document, score));
      return {
        dense: candidates(answer.dense),
        lexical: candidates(answer.lexical),
        missing: answer.missing,
      };
    } catch (error) {
      if (!(error instanceof ColdFormatError)) throw error;
      this.open.damaged();
      return { dense: [], lexical: [], missing: 1 };
    } finally {
      leave();
    }
  }

  /** Nobody searches it any more; those that do may end. */
  leave(): void {
    this.#leave();
  }

  #show(number: number): void {
    if (number < 0 || !hasBit(this.#dead, number)) return;
    clearBit(this.#changed(), number);
    this.#deadCount -= 1;
  }

  #candidate(row: number, document: number, score: number): Candidate {
    const { table } = this.open;
    return {
      document_id: table.idOf(document),
      ordinal: table.ordinalOf(row),
      score,
      tier: "cold",
      version: table.versionOf(document),
      residency: table.residencyOf(document),
    };
  }

  /** The bitmap to change: a copy when a search reads the present one. */
  #changed(): Bitmap {
    if (this.#isShared) this.#dead = { words: this.#dead.words.slice() };
    this.#isShared = false;
    this.#turn += 1;
    return this.#dead;
  }
}
