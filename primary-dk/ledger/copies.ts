/** The copies that entries record, as of one place in the ledger. */
import { compareFences, type Fence } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";
import type { LedgerEntry } from "./entry.ts";

const fenceSchema = z.object({ epoch: z.int(), sequence: z.string() });

const copySchema = z.object({
  /** Of the last change that planned it. */
  planned: fenceSchema,
  /** Of the last change that brought it; null before, and when it was withdrawn to come again. */
  applied: fenceSchema.nullable(),
  site: z.string(),
  jurisdiction: z.string(),
  class: z.string(),
  policy: z.string(),
  commitment: z.string().nullable(),
  at: z.string(),
});

export const documentRecordSchema = z.object({
  document: z.string(),
  /** In the order of their sites' ids; none of a document that is recorded nowhere. */
  copies: z.array(copySchema),
});
export type DocumentRecord = z.infer<typeof documentRecordSchema>;
type Copy = DocumentRecord["copies"][number];

/**
 * What is recorded of a document after one more entry about it.
 *
 * Confirmations of two sites come in any order, and those of one after it was planned anew: an entry changes nothing that a later
 * change of the log has brought about.
 */
export function recorded(
  before: DocumentRecord,
  entry: Exclude<LedgerEntry, { readonly kind: "state" }>,
): DocumentRecord {
  const { document, copies } = before;
  const fence = { epoch: entry.epoch, sequence: entry.sequence };
  const copyAt = (site: string): Copy | null => copies.find((copy) => copy.site === site) ?? null;
  const withCopies = (changed: readonly Copy[], gone: string | null = null): DocumentRecord => {
    const sites = new Set(changed.map(({ site }) => site));
    const others = copies.filter(({ site }) => !sites.has(site) && site !== gone);
    return { document, copies: [...others, ...changed].toSorted((a, b) => (a.site < b.site ? -1 : 1)) };
  };
  switch (entry.kind) {
    case "planned":
      return withCopies(
        entry.copies.map((place): Copy => {
          const known = copyAt(place.site);
          return known === null
            ? { ...aboutOf({ ...entry, ...place }), planned: fence, applied: null }
            : { ...known, planned: laterOf(known.planned, fence) };
        }),
      );
    case "applied": {
      const known = copyAt(entry.site);
      if (known?.applied && compareFences(known.applied, fence) > 0) return before;
      const planned = known === null ? fence : laterOf(known.planned, fence);
      return withCopies([{ ...aboutOf(entry), planned, applied: fence }]);
    }
    case "withdrawn":
    case "erased": {
      const known = copyAt(entry.site);
      if (known === null) return before;
      const isApplied = known.applied !== null && compareFences(known.applied, fence) > 0;
      const applied = isApplied ? known.applied : null;
      return compareFences(known.planned, fence) > 0
        ? withCopies([{ ...known, applied }])
        : withCopies([], entry.site);
    }
    default:
      return entry satisfies never;
  }
}

function laterOf(left: Fence, right: Fence): Fence {
  return compareFences(left, right) >= 0 ? left : right;
}

function aboutOf({
  site,
  jurisdiction,
  class: name,
  policy,
  commitment,
  at,
}: Omit<Copy, "planned" | "applied">) {
  return { site, jurisdiction, class: name, policy, commitment, at };
}

/**
 * The bytes that are hashed, in RFC 8785's form: names in their order, texts and whole numbers as ECMAScript writes them.
 *
 * Written out, since each document of the ledger is encoded again with each entry about it, and the package that sorts names takes five
 * times as long.
 */
export function encodeRecord({ document, copies }: DocumentRecord): string {
  return JSON.stringify({
    copies: copies.map(({ applied, at, class: name, commitment, jurisdiction, planned, policy, site }) => ({
      applied: applied === null ? null : inOrder(applied),
      at,
      class: name,
      commitment,
      jurisdiction,
      planned: inOrder(planned),
      policy,
      site,
    })),
    document,
  });
}

function inOrder({ epoch, sequence }: Fence): Fence {
  return { epoch, sequence };
}
