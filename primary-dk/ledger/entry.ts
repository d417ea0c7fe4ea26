/** What the ledger says of copies. */
import { createHmac, hash } from "node:crypto";
import type { Site } from "@kattegat/config/network.ts";
import { z } from "zod";
import type { DataKey } from "../sealing/document-seals.ts";

const copyEvent = {
  /** SHA-256 of the document's id, in hexadecimal: the ledger outlives the document. */
  document: z.string().regex(/^[0-9a-f]{64}$/),
  class: z.string(),
  /** Of the network file that decided (see `policyVersion`). */
  policy: z.string(),
  reason: z.string(),
  /** In the log of changes. */
  sequence: z.string(),
  epoch: z.int(),
  at: z.iso.datetime(),
};
const place = {
  site: z.string(),
  /** The country of the site, or its residency zone. */
  jurisdiction: z.string(),
};

/** Binds a copy to its content without telling it; null where the content was not at hand. */
const commitment = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .nullable();

export const ledgerEntrySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("planned"),
    ...copyEvent,
    commitment,
    /** Everywhere the document may come to rest, the primary's own record included. */
    copies: z.array(z.object(place)),
  }),
  z.object({ kind: z.literal("applied"), ...copyEvent, ...place, commitment }),
  z.object({ kind: z.literal("withdrawn"), ...copyEvent, ...place }),
  /** Hidden at a site that only keeps a copy; at the primary, its key destroyed. */
  z.object({ kind: z.literal("erased"), ...copyEvent, ...place }),
  /** All copies that the entries before it record, as one hash. */
  z.object({ kind: z.literal("state"), root: z.base64(), at: z.iso.datetime() }),
]);
export type LedgerEntry = Readonly<z.infer<typeof ledgerEntrySchema>>;

/** The bytes that are hashed, in RFC 8785's form, as those of a record are. */
export function encodeEntry(entry: LedgerEntry): string {
  if (entry.kind === "state") return JSON.stringify({ at: entry.at, kind: entry.kind, root: entry.root });
  const { at, class: name, document, epoch, kind, policy, reason, sequence } = entry;
  switch (kind) {
    case "planned": {
      const { commitment, copies } = entry;
      const places = copies.map(({ jurisdiction, site }) => ({ jurisdiction, site }));
      const about = { at, class: name, commitment, copies: places, document, epoch };
      return JSON.stringify({ ...about, kind, policy, reason, sequence });
    }
    case "applied": {
      const { commitment, jurisdiction, site } = entry;
      const about = { at, class: name, commitment, document, epoch, jurisdiction };
      return JSON.stringify({ ...about, kind, policy, reason, sequence, site });
    }
    case "withdrawn":
    case "erased": {
      const { jurisdiction, site } = entry;
      const about = { at, class: name, document, epoch, jurisdiction };
      return JSON.stringify({ ...about, kind, policy, reason, sequence, site });
    }
    default:
      return kind satisfies never;
  }
}

export function documentHash(documentId: string): Buffer {
  return hash("sha256", documentId, "buffer");
}

export function jurisdictionOf(site: Site | undefined): string {
  return site?.country ?? (site?.zone === undefined ? "unknown" : `zone ${site.zone}`);
}

export interface Opening {
  /** In hexadecimal; of the content's own key, so it cannot be computed once that is destroyed. */
  readonly salt: string;
  /** As replication compares contents by. */
  readonly digest: string;
}

export function openingOf(key: DataKey, digest: string): Opening {
  // From raw bytes Node makes a key each time, which costs six times the hash.
  return { salt: createHmac("sha256", key.sealKey).update("kattegat ledger salt").digest("hex"), digest };
}

/** Without the salt nobody can tell whether a guessed content is the one. */
export function commitmentOf({ salt, digest }: Opening): string {
  return hash("sha256", Buffer.from(`${salt}${digest}`, "hex"));
}
