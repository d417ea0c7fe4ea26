import type { PostingPool } from "./posting-pool.ts";

const INITIAL_SLOTS = 1 << 12;
/** Half full at most, so that probes stay short. */
const LOAD_MAX = 0.5;
const FREE = 0xffff_ffff;

/** The stream of each term id, by open addressing: forty million look-ups in some seconds. */
export class TermStreams {
  readonly #pool: PostingPool;
  #slotIds = new Uint32Array(INITIAL_SLOTS);
  #slotStreams = new Uint32Array(INITIAL_SLOTS).fill(FREE);
  #ids = new Uint32Array(INITIAL_SLOTS);
  /** The row that comes next after the last one of each stream. */
  #nextRows = new Uint32Array(INITIAL_SLOTS);
  #counts = new Uint32Array(INITIAL_SLOTS);
  #streams = 0;

  constructor(pool: PostingPool) {
    this.#pool = pool;
  }

  /** The stream of a term; opens one for a new term. */
  streamOf(id: number): number {
    const slot = this.#slot(id);
    const stream = this.#slotStreams[slot] ?? FREE;
    return stream === FREE ? this.#open(id, slot) : stream;
  }

  /** Counts a posting; returns how many rows lie between it and the one before. */
  step(stream: number, row: number): number {
    const gap = row - (this.#nextRows[stream] ?? 0);
    this.#nextRows[stream] = row + 1;
    this.#counts[stream] = (this.#counts[stream] ?? 0) + 1;
    return gap;
  }

  countOf(stream: number): number {
    return this.#counts[stream] ?? 0;
  }

  /** Every term id, ascending. */
  ids(): Uint32Array {
    return this.#ids.slice(0, this.#streams).sort();
  }

  #open(id: number, slot: number): number {
    const stream = this.#pool.open();
    this.#slotIds[slot] = id;
    this.#slotStreams[slot] = stream;
    this.#streams = stream + 1;
    if (stream >= this.#ids.length) {
      this.#ids = doubled(this.#ids);
      this.#nextRows = doubled(this.#nextRows);
      this.#counts = doubled(this.#counts);
    }
    this.#ids[stream] = id;
    if (this.#streams > this.#slotIds.length * LOAD_MAX) this.#rehash();
    return stream;
  }

  #slot(id: number): number {
    const mask = this.#slotIds.length - 1;
    let slot = (Math.imul(id, 0x9e3779b1) >>> 8) & mask;
    while (this.#slotStreams[slot] !== FREE && this.#slotIds[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  #rehash(): void {
    this.#slotIds = new Uint32Array(this.#slotIds.length * 2);
    this.#slotStreams = new Uint32Array(this.#slotIds.length).fill(FREE);
    for (let stream = 0; stream < this.#streams; stream += 1) {
      const id = this.#ids[stream] ?? 0;
      const slot = this.#slot(id);
      this.#slotIds[slot] = id;
      this.#slotStreams[slot] = stream;
    }
  }
}

function doubled(from: Uint32Array): Uint32Array<ArrayBuffer> {
  const into = new Uint32Array(from.length * 2);
  into.set(from);
  return into;
}
