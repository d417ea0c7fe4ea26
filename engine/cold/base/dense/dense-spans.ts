/** Blocks of rows that lie together. */
export interface BlockSpan {
  readonly first: number;
  readonly last: number;
}

export interface SpanBudget {
  readonly spansMax: number;
  readonly blocksMax: number;
  /** So many blocks that nobody asked for are read rather than making a second read; of several the one by which most fits. */
  readonly gaps: readonly number[];
  /** What the reader can do; no more spans than these, whatever the budget is. */
  readonly readsMax?: number;
}

/** Returns the spans that hold the blocks, the most wanted ones given first; what does not fit is left out. */
export function spansOf(
  blocks: readonly number[],
  { gaps, readsMax = Infinity, ...asked }: SpanBudget,
): readonly BlockSpan[] {
  const budget = { ...asked, spansMax: Math.min(asked.spansMax, readsMax) };
  let best: readonly BlockSpan[] = [];
  let most = -1;
  for (const gapMax of gaps) {
    const spans = bridged(blocks, { ...budget, gapMax });
    const held = blocks.filter((block) => isHeld(spans, block)).length;
    if (held <= most) continue;
    most = held;
    best = spans;
  }
  return best;
}

function bridged(
  blocks: readonly number[],
  budget: { readonly spansMax: number; readonly blocksMax: number; readonly gapMax: number },
): readonly BlockSpan[] {
  let spans: BlockSpan[] = [];
  let total = 0;
  for (const block of blocks) {
    if (isHeld(spans, block)) continue;
    // Bridged on both sides, two spans become one.
    const near = spans.filter(
      ({ first, last }) => block >= first - budget.gapMax - 1 && block <= last + budget.gapMax + 1,
    );
    const joined = {
      first: Math.min(block, ...near.map(({ first }) => first)),
      last: Math.max(block, ...near.map(({ last }) => last)),
    };
    const added = lengthOf(joined) - near.reduce((sum, span) => sum + lengthOf(span), 0);
    const count = spans.length - near.length + 1;
    if (count > budget.spansMax || (total > 0 && total + added > budget.blocksMax)) continue;
    spans = [...spans.filter((span) => !near.includes(span)), joined];
    total += added;
  }
  return spans.toSorted((a, b) => a.first - b.first);
}

function isHeld(spans: readonly BlockSpan[], block: number): boolean {
  return spans.some(({ first, last }) => block >= first && block <= last);
}

/** Returns the blocks alone, each once. */
export function eachOf(blocks: readonly number[]): readonly BlockSpan[] {
  return [...new Set(blocks)].toSorted((a, b) => a - b).map((block) => ({ first: block, last: block }));
}

function lengthOf({ first, last }: BlockSpan): number {
  return last - first + 1;
}
