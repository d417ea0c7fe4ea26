/** Ways of eviction that the block cache is measured against. */
import type { BlockCache, Sized } from "@kattegat/edge/cold/block-cache.ts";

/** What was used longest ago leaves first. */
export function createLruCache<Block extends Sized>(options: {
  readonly bytesMax: number;
}): BlockCache<Block> {
  const blocks = new Map<string, Block>();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    get(key) {
      const block = blocks.get(key);
      if (block === undefined) return undefined;
      blocks.delete(key);
      blocks.set(key, block);
      return block;
    },
    set(key, block) {
      bytes += block.byteLength - (blocks.get(key)?.byteLength ?? 0);
      blocks.delete(key);
      blocks.set(key, block);
      for (const [oldest, { byteLength }] of blocks) {
        if (bytes <= options.bytesMax) break;
        blocks.delete(oldest);
        bytes -= byteLength;
      }
    },
  };
}

interface SieveNode<Block> {
  readonly key: string;
  readonly block: Block;
  visited: boolean;
  newer: SieveNode<Block> | null;
  older: SieveNode<Block> | null;
}

/** Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024: one queue, one bit a block, a hand that spares used blocks once. */
export function createSieveCache<Block extends Sized>(options: {
  readonly bytesMax: number;
}): BlockCache<Block> {
  const nodes = new Map<string, SieveNode<Block>>();
  let newest: SieveNode<Block> | null = null;
  let oldest: SieveNode<Block> | null = null;
  let hand: SieveNode<Block> | null = null;
  let bytes = 0;

  function unlink(node: SieveNode<Block>): void {
    if (node.newer === null) newest = node.older;
    else node.newer.older = node.older;
    if (node.older === null) oldest = node.newer;
    else node.older.newer = node.newer;
    nodes.delete(node.key);
    bytes -= node.block.byteLength;
  }

  function evict(): void {
    let node = hand ?? oldest;
    while (node?.visited === true) {
      node.visited = false;
      node = node.newer ?? oldest;
    }
    if (node === null) return;
    hand = node.newer;
    unlink(node);
  }

  return {
    get bytes() {
      return bytes;
    },
    get(key) {
      const node = nodes.get(key);
      if (node !== undefined) node.visited = true;
      return node?.block;
    },
    set(key, block) {
      const known = nodes.get(key);
      if (known !== undefined) {
        if (hand === known) hand = known.newer;
        unlink(known);
      }
      if (block.byteLength > options.bytesMax) return;
      while (bytes + block.byteLength > options.bytesMax) evict();
      const node: SieveNode<Block> = { key, block, visited: false, newer: null, older: newest };
      if (newest !== null) newest.newer = node;
      newest = node;
      oldest ??= node;
      nodes.set(key, node);
      bytes += block.byteLength;
    },
  };
}

/** Yang et al. (below), section 4.1: a tenth of the room filters blocks that are asked for once. */
const SMALL_SHARE = 0.1;
/** Two bits a block, as in the paper: what was hot leaves after at most three rounds without a use. */
const USES_MAX = 3;
/** The paper remembers as many names as the main queue holds blocks; blocks here are not smaller than this. */
const GHOST_BLOCK_BYTES = 16_384;

interface FifoEntry<Block> {
  readonly block: Block;
  uses: number;
}

/**
 * Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023 (S3-FIFO): a small queue
 * filters what is asked for once, a main one spares what was used, names of what left are remembered for a while.
 */
export function createFifoCache<Block extends Sized>(options: {
  readonly bytesMax: number;
}): BlockCache<Block> {
  return new FifoCache(options.bytesMax);
}

class FifoCache<Block extends Sized> implements BlockCache<Block> {
  readonly #bytesMax: number;
  readonly #ghostsMax: number;
  /** Maps iterate in the order of insertion, which is all that a queue needs. */
  readonly #small = new Map<string, FifoEntry<Block>>();
  readonly #main = new Map<string, FifoEntry<Block>>();
  readonly #ghosts = new Set<string>();
  #smallBytes = 0;
  #mainBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#ghostsMax = Math.ceil(bytesMax / GHOST_BLOCK_BYTES);
  }

  get bytes(): number {
    return this.#smallBytes + this.#mainBytes;
  }

  get(key: string): Block | undefined {
    const entry = this.#small.get(key) ?? this.#main.get(key);
    if (entry === undefined) return undefined;
    if (entry.uses < USES_MAX) entry.uses += 1;
    return entry.block;
  }

  set(key: string, block: Block): void {
    this.#remove(key);
    if (block.byteLength > this.#bytesMax) return;
    while (this.bytes + block.byteLength > this.#bytesMax) this.#evict();
    if (this.#ghosts.delete(key)) {
      this.#main.set(key, { block, uses: 0 });
      this.#mainBytes += block.byteLength;
    } else {
      this.#small.set(key, { block, uses: 0 });
      this.#smallBytes += block.byteLength;
    }
  }

  #remove(key: string): void {
    const small = this.#small.get(key);
    if (small !== undefined) {
      this.#small.delete(key);
      this.#smallBytes -= small.block.byteLength;
    }
    const main = this.#main.get(key);
    if (main !== undefined) {
      this.#main.delete(key);
      this.#mainBytes -= main.block.byteLength;
    }
  }

  #evict(): void {
    if (this.#smallBytes > this.#bytesMax * SMALL_SHARE || this.#main.size === 0) this.#evictSmall();
    else this.#evictMain();
  }

  /** One block leaves the small queue: for the main one when it was asked for again, otherwise for good. */
  #evictSmall(): void {
    for (const [key, { block, uses }] of this.#small) {
      this.#small.delete(key);
      this.#smallBytes -= block.byteLength;
      if (uses === 0) {
        this.#remember(key);
        return;
      }
      this.#main.set(key, { block, uses: 0 });
      this.#mainBytes += block.byteLength;
      return;
    }
  }

  /** Used blocks go round once more for each use; the first that has none leaves. */
  #evictMain(): void {
    for (const [key, entry] of this.#main) {
      this.#main.delete(key);
      if (entry.uses === 0) {
        this.#mainBytes -= entry.block.byteLength;
        return;
      }
      entry.uses -= 1;
      this.#main.set(key, entry);
    }
  }

  #remember(key: string): void {
    this.#ghosts.add(key);
    if (this.#ghosts.size <= this.#ghostsMax) return;
    for (const oldest of this.#ghosts) {
      this.#ghosts.delete(oldest);
      return;
    }
  }
}
