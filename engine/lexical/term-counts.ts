const INITIAL_SLOTS = 1 << 12;
/** Half full at most: probes stay short, 16 bytes per term where a Map takes about 40. */
const LOAD_MAX = 0.5;

/** How many passages hold each term id: an open-addressing table. */
export class TermCounts {
  #ids = new Uint32Array(INITIAL_SLOTS);
  #counts = new Uint32Array(INITIAL_SLOTS);
  /** Slots ever taken since the last growth; a term that fell to zero keeps its slot until then. */
  #taken = 0;
  #used = new Uint8Array(INITIAL_SLOTS);

  get(id: number): number {
    return this.#counts[this.#slot(id)] ?? 0;
  }

  increment(id: number): void {
    if (this.#taken >= this.#ids.length * LOAD_MAX) this.#grow();
    const slot = this.#slot(id);
    if (this.#used[slot] === 0) {
      this.#used[slot] = 1;
      this.#ids[slot] = id;
      this.#taken += 1;
    }
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /** The caller has seen that the count is above zero. */
  decrement(id: number): void {
    const slot = this.#slot(id);
    this.#counts[slot] = (this.#counts[slot] ?? 0) - 1;
  }

  /** Returns the ids whose count is at least `minimum`, ascending. */
  idsFrom(minimum: number): Uint32Array {
    let found = 0;
    for (const count of this.#counts) if (count >= minimum) found += 1;
    const ids = new Uint32Array(found);
    let at = 0;
    for (let slot = 0; slot < this.#ids.length; slot += 1) {
      if ((this.#counts[slot] ?? 0) < minimum) continue;
      ids[at] = this.#ids[slot] ?? 0;
      at += 1;
    }
    return ids.sort();
  }

  #slot(id: number): number {
    const mask = this.#ids.length - 1;
    // The ids are hashes already; the multiplication spreads those of tests and of attackers too.
    let slot = (Math.imul(id, 0x9e3779b1) >>> 8) & mask;
    while (this.#used[slot] === 1 && this.#ids[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const ids = this.#ids;
    const counts = this.#counts;
    let living = 0;
    for (const count of counts) if (count > 0) living += 1;
    const slots = living > (ids.length * LOAD_MAX) / 2 ? ids.length * 2 : ids.length;
    this.#ids = new Uint32Array(slots);
    this.#counts = new Uint32Array(slots);
    this.#used = new Uint8Array(slots);
    this.#taken = living;
    for (let i = 0; i < ids.length; i += 1) {
      const count = counts[i] ?? 0;
      if (count === 0) continue;
      const slot = this.#slot(ids[i] ?? 0);
      this.#used[slot] = 1;
      this.#ids[slot] = ids[i] ?? 0;
      this.#counts[slot] = count;
    }
  }
}
