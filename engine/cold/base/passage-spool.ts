import type { SparseVector } from "../../lexical/bm25.ts";
import { integerBytes } from "../../vector/quantize.ts";
import type { ColdPassage } from "../passage.ts";
import type { BaseInput } from "./build-base.ts";
import { createSharedGridVectors, writeGridVector, type GridVectors } from "./dense/dense-vectors.ts";
import type { BaseHit } from "./parts.ts";

/** Some 60,000 passages of terms: growth by such pieces never copies what is there. */
const CHUNK_TERMS = 4 * 1_024 * 1_024;

/** Where passages wait without their vectors. */
export interface TextSpool {
  /** Keeps one under the next number. */
  add(hit: BaseHit): void;
  text(number: number): BaseHit;
}

/** Passages on their way into a base: vectors and terms in memory, the rest where the caller says. */
export interface PassageSpool extends BaseInput {
  /** @throws {RangeError} when there are more passages than were announced. */
  add(passage: ColdPassage): void;
}

/** @param options.capacity - passages at most. */
export function createPassageSpool(options: {
  readonly dimensions: number;
  readonly capacity: number;
  readonly texts: TextSpool;
}): PassageSpool {
  return new Spool(options);
}

class Spool implements PassageSpool {
  readonly #all: GridVectors;
  readonly #texts: TextSpool;
  readonly #capacity: number;
  readonly #indices: Uint32Array[] = [];
  readonly #values: Float32Array[] = [];
  /** Chunk, start, length of each passage's terms. */
  readonly #terms: Uint32Array;
  #usedTerms = CHUNK_TERMS;
  #count = 0;

  constructor({
    dimensions,
    capacity,
    texts,
  }: {
    readonly dimensions: number;
    readonly capacity: number;
    readonly texts: TextSpool;
  }) {
    this.#all = createSharedGridVectors(capacity, dimensions);
    this.#texts = texts;
    this.#capacity = capacity;
    this.#terms = new Uint32Array(capacity * 3);
  }

  /** Views that stay valid. */
  get vectors(): GridVectors {
    const { dimensions, integers, scales } = this.#all;
    return {
      count: this.#count,
      dimensions,
      integers: integers.subarray(0, this.#count * integerBytes(dimensions)),
      scales: scales.subarray(0, this.#count),
    };
  }

  add({ dense, sparse, ...hit }: ColdPassage): void {
    if (this.#count === this.#capacity)
      throw new RangeError(`expected at most ${this.#capacity} passages, one more came`);
    writeGridVector(this.#all, this.#count, dense);
    this.#addSparse(sparse);
    this.#texts.add(hit);
    this.#count += 1;
  }

  sparse(number: number): SparseVector {
    const [chunk = 0, start = 0, length = 0] = this.#terms.subarray(number * 3, number * 3 + 3);
    return {
      indices: this.#indices[chunk]?.subarray(start, start + length) ?? new Uint32Array(0),
      values: this.#values[chunk]?.subarray(start, start + length) ?? new Float32Array(0),
    };
  }

  text(number: number): BaseHit {
    return this.#texts.text(number);
  }

  #addSparse({ indices, values }: SparseVector): void {
    if (this.#usedTerms + indices.length > CHUNK_TERMS) {
      const size = Math.max(CHUNK_TERMS, indices.length);
      this.#indices.push(new Uint32Array(size));
      this.#values.push(new Float32Array(size));
      this.#usedTerms = 0;
    }
    const chunk = this.#indices.length - 1;
    this.#indices[chunk]?.set(indices, this.#usedTerms);
    this.#values[chunk]?.set(values, this.#usedTerms);
    this.#terms.set([chunk, this.#usedTerms, indices.length], this.#count * 3);
    this.#usedTerms += indices.length;
  }
}
