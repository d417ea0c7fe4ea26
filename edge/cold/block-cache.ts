/** The blocks that an isolate keeps in memory, bounded by bytes. */

/** Anything that knows its size; the simulator keeps sizes alone. */
export interface Sized {
  readonly byteLength: number;
}

export interface BlockCache<Block extends Sized> {
  readonly bytes: number;
  get(key: string): Block | undefined;
  /** Keeps the block unless it alone is larger than the whole cache; others leave to make room. */
  set(key: string, block: Block): void;
}

interface Entry<Block> {
  readonly key: string;
  readonly block: Block;
  uses: number;
  priority: number;
  /** Place in the heap. */
  at: number;
}

/**
 * Creates a cache that evicts by Greedy-Dual-Size-Frequency: Cherkasova, "Improving WWW Proxies Performance with
 * Greedy-Dual-Size-Frequency Caching Policy", HP Labs 1998, section 2.
 *
 * The block with the fewest uses for a byte leaves first; its priority becomes the age that later uses start from, so
 * that what was hot once leaves in the end. What a query waits for is the number of its reads, and lists differ in size
 * several times over: a way that is blind to size keeps one large list in the room of several small ones. Chosen by
 * replaying query logs over LRU, SIEVE and S3-FIFO (`npm run bench -- warming`).
 */
export function createBlockCache<Block extends Sized>(options: {
  readonly bytesMax: number;
}): BlockCache<Block> {
  return new GreedyDualCache(options.bytesMax);
}

class GreedyDualCache<Block extends Sized> implements BlockCache<Block> {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Entry<Block>>();
  /** A binary heap, least priority first. */
  readonly #heap: Entry<Block>[] = [];
  #bytes = 0;
  #age = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Block | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.uses += 1;
    entry.priority = this.#priority(entry);
    this.#sink(entry);
    return entry.block;
  }

  set(key: string, block: Block): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(known);
    if (block.byteLength > this.#bytesMax) return;
    while (this.#bytes + block.byteLength > this.#bytesMax) {
      const [least] = this.#heap;
      if (least === undefined) break;
      this.#age = least.priority;
      this.#remove(least);
    }
    const entry = { key, block, uses: known?.uses ?? 1, priority: 0, at: this.#heap.length };
    entry.priority = this.#priority(entry);
    this.#entries.set(key, entry);
    this.#heap.push(entry);
    this.#bytes += block.byteLength;
    this.#rise(entry);
  }

  #priority({ uses, block }: Entry<Block>): number {
    return this.#age + uses / Math.max(1, block.byteLength);
  }

  #remove(entry: Entry<Block>): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.block.byteLength;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#place(last, entry.at);
    this.#rise(last);
    this.#sink(last);
  }

  #place(entry: Entry<Block>, at: number): void {
    this.#heap[at] = entry;
    entry.at = at;
  }

  #rise(entry: Entry<Block>): void {
    while (entry.at > 0) {
      const above = this.#heap[(entry.at - 1) >> 1];
      if (above === undefined || above.priority <= entry.priority) return;
      const { at } = above;
      this.#place(above, entry.at);
      this.#place(entry, at);
    }
  }

  #sink(entry: Entry<Block>): void {
    for (;;) {
      const left = this.#heap[entry.at * 2 + 1];
      const right = this.#heap[entry.at * 2 + 2];
      const least =
        right !== undefined && left !== undefined && right.priority < left.priority ? right : left;
      if (least === undefined || least.priority >= entry.priority) return;
      const { at } = least;
      this.#place(least, entry.at);
      this.#place(entry, at);
    }
  }
}
