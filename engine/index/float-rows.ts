/** The float vector of each slot, in blocks, so that growth copies nothing. */
export interface FloatRows {
  readonly bytes: number;
  set(slot: number, vector: Float32Array): void;
  /** A view, valid until the slot is written again. */
  get(slot: number): Float32Array;
}

const BLOCK_SLOTS = 1_024;

/** Creates an empty store of float vectors. */
export function createFloatRows(dimensions: number): FloatRows {
  const blocks: Float32Array[] = [];
  return {
    get bytes() {
      return blocks.length * BLOCK_SLOTS * dimensions * 4;
    },
    set(slot, vector) {
      while (blocks.length * BLOCK_SLOTS <= slot) blocks.push(new Float32Array(BLOCK_SLOTS * dimensions));
      blocks[Math.floor(slot / BLOCK_SLOTS)]?.set(vector, (slot % BLOCK_SLOTS) * dimensions);
    },
    get(slot) {
      const block = blocks[Math.floor(slot / BLOCK_SLOTS)];
      if (block === undefined) throw new RangeError(`expected a slot that was written, got ${slot}`);
      const start = (slot % BLOCK_SLOTS) * dimensions;
      return block.subarray(start, start + dimensions);
    },
  };
}
