import type { SparseVector } from "../lexical/bm25.ts";

/** The entries of each term, in slices of two shared arrays. */
export interface Postings {
  /** Bytes held. */
  readonly bytes: number;
  add(slot: number, vector: SparseVector): void;
  /** Calls `visit` for each entry of the term, in the order in which they were added. */
  forEach(term: number, visit: (slot: number, value: number) => void): void;
  /** Drops every entry whose slot is not kept. */
  compact(keeps: (slot: number) => boolean): void;
}

/**
 * Slices of a term double up to this length: one array for each term would cost 400 bytes for the half of all terms
 * that occurs once (the scheme of Lucene's byte pool).
 */
const SLICE_ENTRIES_MAX = 1_024;
const SLICE_ENTRIES_MIN = 1;

/** Creates empty postings. */
export function createPostings(): Postings {
  return new SlicedPostings();
}

class SlicedPostings implements Postings {
  /** A slice is `length` entries and a last cell whose slot is the next slice's start (0: none). */
  #slots = new Uint32Array(1_024);
  #values = new Float32Array(1_024);
  #used = 1;
  #rows = new Map<number, number>();
  #head = new Uint32Array(256);
  #next = new Uint32Array(256);
  #end = new Uint32Array(256);
  #lastLength = new Uint32Array(256);

  get bytes(): number {
    // A row is four cells and about 40 bytes of the map.
    return this.#slots.byteLength * 2 + this.#head.byteLength * 4 + this.#rows.size * 40;
  }

  add(slot: number, { indices, values }: SparseVector): void {
    for (let i = 0; i < indices.length; i += 1) this.#append(indices[i] ?? 0, slot, values[i] ?? 0);
  }

  forEach(term: number, visit: (slot: number, value: number) => void): void {
    const row = this.#rows.get(term);
    if (row === undefined) return;
    const next = this.#next[row] ?? 0;
    let length = SLICE_ENTRIES_MIN;
    for (let at = this.#head[row] ?? 0; at !== 0;) {
      const isLast = next >= at && next <= at + length;
      const end = isLast ? next : at + length;
      for (let i = at; i < end; i += 1) visit(this.#slots[i] ?? 0, this.#values[i] ?? 0);
      at = isLast ? 0 : (this.#slots[at + length] ?? 0);
      length = Math.min(SLICE_ENTRIES_MAX, length * 2);
    }
  }

  compact(keeps: (slot: number) => boolean): void {
    const fresh = new SlicedPostings();
    for (const term of this.#rows.keys()) {
      this.forEach(term, (slot, value) => {
        if (keeps(slot)) fresh.#append(term, slot, value);
      });
    }
    this.#slots = fresh.#slots;
    this.#values = fresh.#values;
    this.#used = fresh.#used;
    this.#rows = fresh.#rows;
    this.#head = fresh.#head;
    this.#next = fresh.#next;
    this.#end = fresh.#end;
    this.#lastLength = fresh.#lastLength;
  }

  #append(term: number, slot: number, value: number): void {
    const row = this.#rows.get(term) ?? this.#addRow(term);
    if (this.#next[row] === this.#end[row]) this.#addSlice(row);
    const at = this.#next[row] ?? 0;
    this.#slots[at] = slot;
    this.#values[at] = value;
    this.#next[row] = at + 1;
  }

  #addRow(term: number): number {
    const row = this.#rows.size;
    this.#rows.set(term, row);
    if (row === this.#head.length) {
      this.#head = doubled(this.#head);
      this.#next = doubled(this.#next);
      this.#end = doubled(this.#end);
      this.#lastLength = doubled(this.#lastLength);
    }
    const start = this.#allocate(SLICE_ENTRIES_MIN);
    this.#head[row] = start;
    this.#next[row] = start;
    this.#end[row] = start + SLICE_ENTRIES_MIN;
    this.#lastLength[row] = SLICE_ENTRIES_MIN;
    return row;
  }

  #addSlice(row: number): void {
    const length = Math.min(SLICE_ENTRIES_MAX, (this.#lastLength[row] ?? 1) * 2);
    const start = this.#allocate(length);
    this.#slots[this.#end[row] ?? 0] = start;
    this.#next[row] = start;
    this.#end[row] = start + length;
    this.#lastLength[row] = length;
  }

  #allocate(length: number): number {
    const start = this.#used;
    this.#used += length + 1;
    if (this.#used > this.#slots.length) {
      // By a quarter: doubling would leave a third of the largest array of all unused on average.
      const cells = Math.ceil(this.#used * 1.25);
      const slots = new Uint32Array(cells);
      slots.set(this.#slots);
      this.#slots = slots;
      const values = new Float32Array(cells);
      values.set(this.#values);
      this.#values = values;
    }
    return start;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(array.length * 2);
  next.set(array);
  return next;
}
