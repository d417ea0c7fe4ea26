/** The copies that entries record, as of one place in the ledger. */
import canonicalize from "canonicalize";
import { z } from "zod";
import type { LedgerEntry } from "./entry.ts";

const copySchema = z.object({
  state: z.enum(["planned", "applied"]),
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

/** What is recorded of a document after one more entry about it. */
export function recorded(
  before: DocumentRecord,
  entry: Exclude<LedgerEntry, { readonly kind: "state" }>,
): DocumentRecord {
  const { document, copies } = before;
  switch (entry.kind) {
    case "planned": {
      const known = new Set(copies.map(({ site }) => site));
      const added = entry.copies
        .filter(({ site }) => !known.has(site))
        .map((place) => copyOf("planned", { ...entry, ...place }));
      return { document, copies: sorted([...copies, ...added]) };
    }
    case "applied": {
      const others = copies.filter(({ site }) => site !== entry.site);
      return { document, copies: sorted([...others, copyOf("applied", entry)]) };
    }
    case "withdrawn":
    case "erased":
      return { document, copies: copies.filter(({ site }) => site !== entry.site) };
    default:
      return entry satisfies never;
  }
}

export function encodeRecord(record: DocumentRecord): string {
  const text = canonicalize(record);
  if (text === undefined) throw new TypeError("expected a record that JSON can say");
  return text;
}

function copyOf(
  state: Copy["state"],
  { site, jurisdiction, class: name, policy, commitment, at }: Omit<Copy, "state">,
): Copy {
  return { state, site, jurisdiction, class: name, policy, commitment, at };
}

function sorted(copies: readonly Copy[]): Copy[] {
  return copies.toSorted((a, b) => (a.site < b.site ? -1 : 1));
}
