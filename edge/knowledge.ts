/** What this isolate has heard of the network's state. */
import { compareFences, FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";

export interface Knowledge {
  /** The latest fence that any site has shown. */
  readonly head: Fence;
  /** The current reign; a token of an earlier one is refused everywhere. */
  epoch(): number;
  hear(fence: Fence): void;
  /** Whether the network is known to be further than this. */
  isBefore(fence: Fence): boolean;
}

/** The first reign, until a site shows a later one. */
const EPOCH_FIRST = 1;

export function createKnowledge(): Knowledge {
  let head: Fence = FENCE_ZERO;
  return {
    get head() {
      return head;
    },
    epoch: () => Math.max(EPOCH_FIRST, head.epoch),
    isBefore: (fence) => compareFences(fence, head) < 0,
    hear(fence) {
      if (compareFences(fence, head) > 0) head = fence;
    },
  };
}
