/** How many documents each tier holds. */
import type { TierName } from "@kattegat/config/network.ts";
import type { DocumentState } from "../documents/state.ts";

interface Count {
  documents: number;
  passages: number;
}

/** Kept beside the commits, so that a write never counts rows. */
export class TierCounts {
  readonly #tiers = new Map<string, Count>();
  readonly #classes = new Map<string, Count>();
  #moving = 0;

  get moving(): number {
    return this.#moving;
  }

  documents(tier: TierName): number {
    return this.#tiers.get(tier)?.documents ?? 0;
  }

  passages(tier: TierName): number {
    return this.#tiers.get(tier)?.passages ?? 0;
  }

  documentsOfClass(name: string): number {
    return this.#classes.get(name)?.documents ?? 0;
  }

  /** Adds a group of documents that are alike, as a count at start gives them. */
  addMany(
    group: { readonly tier: string; readonly residency: string; readonly moving: boolean },
    count: { readonly documents: number; readonly passages: number },
  ): void {
    this.#add(this.#tiers, group.tier, count);
    this.#add(this.#classes, group.residency, count);
    if (group.moving) this.#moving += count.documents;
  }

  replace({
    before,
    after,
  }: {
    readonly before: DocumentState | null;
    readonly after: DocumentState | null;
  }): void {
    if (before !== null) this.addMany(groupOf(before), { documents: -1, passages: -before.passage_count });
    if (after !== null) this.addMany(groupOf(after), { documents: 1, passages: after.passage_count });
  }

  #add(counts: Map<string, Count>, key: string, { documents, passages }: Readonly<Count>): void {
    const count = counts.get(key) ?? { documents: 0, passages: 0 };
    count.documents += documents;
    count.passages += passages;
    counts.set(key, count);
  }
}

function groupOf({ tier, residency, moving_from }: DocumentState): {
  readonly tier: string;
  readonly residency: string;
  readonly moving: boolean;
} {
  return { tier, residency, moving: moving_from !== null };
}
