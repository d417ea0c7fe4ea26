/** Counts what one site holds, and what is wrong with it. */
import type { Site } from "@kattegat/config/network.ts";
import { FINDING_KINDS, type FindingKind, type Shelf } from "./compare.ts";
import type { DocumentRows } from "./row.ts";
import type { Objects } from "./site-lines.ts";

export type FindingCounts = Readonly<Record<FindingKind, number>>;

export function noFindings(): Record<FindingKind, number> {
  return { leak: 0, orphan: 0, missing: 0, stale: 0, divergent: 0, unrecorded: 0, "recorded only": 0 };
}

export function totalOf(counts: readonly FindingCounts[]): FindingCounts {
  const total = noFindings();
  for (const each of counts) for (const kind of FINDING_KINDS) total[kind] += each[kind];
  return total;
}

export class SiteTally {
  readonly #isPrimary: boolean;
  /** Set once the site has told everything. */
  shelves: readonly Shelf[] = [];
  readonly classes = new Map<string, number>();
  readonly findings = noFindings();
  hidden = 0;
  pending = 0;
  objects: (Omit<Objects, "nameless"> & { readonly stray: readonly string[] }) | null = null;
  /** Why it did not tell everything; null when it did. */
  unseen: string | null = null;
  /** Until it had told everything; null when it did not. */
  tookMs: number | null = null;

  constructor({ kind }: Pick<Site, "kind">) {
    this.#isPrimary = kind === "primary";
  }

  /** Counts a document once, whatever the number of lines and collections that tell of it. */
  held({ record, copies }: DocumentRows, site: string): void {
    const own = copies.filter((copy) => copy.site === site);
    const shown = own.filter(({ hidden }) => !hidden);
    if (shown.length < own.length) this.hidden += 1;
    const names = new Set(shown.map(({ class: name }) => name));
    // The primary's record rests there, wherever the copy is that is searched.
    if (this.#isPrimary && record !== null) names.add(record.class);
    for (const name of names) this.classes.set(name, (this.classes.get(name) ?? 0) + 1);
  }

  found(kind: FindingKind): void {
    this.findings[kind] += 1;
  }

  isPending(): void {
    this.pending += 1;
  }

  stored({ count, bytes, opened }: Objects, stray: readonly string[]): void {
    if (count > 0) this.objects = { count, bytes, opened, stray };
  }

  toldIn(ms: number): void {
    this.tookMs = ms;
  }

  missed(error: unknown): void {
    this.unseen = error instanceof Error ? error.message : "it gave no answer";
  }
}
