/** The times at which sequences were committed, as far as the feed has told. */
import { compareSequences } from "@kattegat/protocol/sequence.ts";

/** Points kept; beyond it the most crowded goes, so a long outage keeps an evenly coarse timeline of its whole length. */
const POINTS_MAX = 512;

interface Point {
  readonly sequence: string;
  readonly atMs: number;
}

/**
 * Shared by all streams, so that the lag of a dead target grows with what the others see.
 *
 * The answer is exact for a sequence that was observed; between two of them it is the later one's time, so lag is
 * never stated larger than it is.
 */
export interface Timeline {
  observe(sequence: string, at: string): void;
  /** The time of the first observed commit after `sequence`; null when none is known. */
  firstAfterMs(sequence: string): number | null;
  /** The newest sequence that the log is known to have. */
  head(): string | null;
}

export function createTimeline(): Timeline {
  let points: Point[] = [];
  let head: string | null = null;
  return {
    observe(sequence, at) {
      const atMs = Date.parse(at);
      if (Number.isNaN(atMs)) return;
      if (head === null || compareSequences(sequence, head) > 0) head = sequence;
      const after = points.findLastIndex((point) => compareSequences(point.sequence, sequence) <= 0);
      if (points[after]?.sequence === sequence) return;
      points = points.toSpliced(after + 1, 0, { sequence, atMs });
      if (points.length > POINTS_MAX) points = points.toSpliced(mostCrowded(points), 1);
    },
    firstAfterMs(sequence) {
      return points.find((point) => compareSequences(point.sequence, sequence) > 0)?.atMs ?? null;
    },
    head() {
      return head;
    },
  };
}

/** The inner point whose neighbours are closest in time. */
function mostCrowded(points: readonly Point[]): number {
  let best = { index: 1, ms: Infinity };
  for (let index = 1; index < points.length - 1; index += 1) {
    const ms = (points[index + 1]?.atMs ?? 0) - (points[index - 1]?.atMs ?? 0);
    if (ms < best.ms) best = { index, ms };
  }
  return best.index;
}
