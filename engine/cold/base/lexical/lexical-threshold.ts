/** So many rows are kept between two sorts at least: fewer would sort more often than they save comparisons. */
const KEPT_ROWS_MIN = 512;

/** Below it sums are no longer far above what stands for "has the term". */
const THRESHOLD_MIN = 1e-20;

/** The score that the last of the wanted groups has at least. */
export class LexicalThreshold {
  readonly #wanted: number;
  readonly #groupOf: ((row: number) => number) | null;
  readonly #rows: Uint32Array;
  readonly #scores: Float64Array;
  readonly #slack: number;
  #count = 0;
  #value = 0;

  /** @param options slack: how far a sum may be off, as a share of it */
  constructor(options: {
    readonly wanted: number;
    readonly groupOf: ((row: number) => number) | null;
    readonly slack: number;
  }) {
    const { wanted, groupOf, slack } = options;
    this.#wanted = wanted;
    this.#groupOf = groupOf;
    this.#slack = slack;
    const room = Math.max(KEPT_ROWS_MIN, wanted * 4);
    this.#rows = new Uint32Array(room);
    this.#scores = new Float64Array(room);
  }

  /** A score that cannot be above the threshold need not be offered; 0 while fewer groups than wanted are known. */
  get value(): number {
    return this.#value;
  }

  /** The sum, bounds added, from which a row can be among the best. */
  get cut(): number {
    return this.#value < THRESHOLD_MIN ? 0 : this.#value * (1 - this.#slack);
  }

  /** Says that the row scores so much at least; a row may be offered again. */
  offer(row: number, score: number): void {
    if (score <= this.#value) return;
    this.#rows[this.#count] = row;
    this.#scores[this.#count] = score;
    this.#count += 1;
    if (this.#count === this.#rows.length) this.settle();
  }

  /** Takes everything offered into the threshold. */
  settle(): void {
    const order = Array.from({ length: this.#count }, (_, at) => at);
    order.sort((left, right) => (this.#scores[right] ?? 0) - (this.#scores[left] ?? 0));
    const groups = new Set<number>();
    const kept: { row: number; score: number }[] = [];
    for (const at of order) {
      const row = this.#rows[at] ?? 0;
      const group = this.#groupOf === null ? row : this.#groupOf(row);
      if (groups.has(group)) continue;
      groups.add(group);
      kept.push({ row, score: this.#scores[at] ?? 0 });
      if (kept.length === this.#wanted) break;
    }
    this.#count = kept.length;
    kept.forEach(({ row, score }, at) => {
      this.#rows[at] = row;
      this.#scores[at] = score;
    });
    if (kept.length === this.#wanted) this.#value = Math.max(this.#value, kept.at(-1)?.score ?? 0);
  }
}
