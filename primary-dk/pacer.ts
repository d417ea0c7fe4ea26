/** Cuts long work into slices between which searches have their turn. */

/** A tenth of the hottest tier's budget. */
const SLICE_MS = 5;

export class Pacer {
  readonly #now: () => number;
  readonly #pause: () => Promise<void>;
  #sliceEndMs = 0;

  /** `pause` resolves when other work had its turn. */
  constructor(options: { readonly now: () => number; readonly pause: () => Promise<void> }) {
    this.#now = options.now;
    this.#pause = options.pause;
  }

  /** Resolves at once while the slice lasts, else after a pause. */
  async breathe(): Promise<void> {
    if (this.#now() < this.#sliceEndMs) return;
    await this.#pause();
    this.#sliceEndMs = this.#now() + SLICE_MS;
  }
}
