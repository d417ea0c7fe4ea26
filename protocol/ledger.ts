/** What the operator asks the primary of the ledger of copies. */
import { z } from "zod";

export const ledgerCheckpointSchema = z.object({
  size: z.int(),
  /** Signed (C2SP tlog-checkpoint). */
  note: z.string(),
  /** Over all entries, in hexadecimal. */
  chain: z.string(),
  /** What its signature is checked with (C2SP signed-note). */
  verifier_key: z.string(),
});
export type LedgerCheckpoint = z.infer<typeof ledgerCheckpointSchema>;

/** Sites that the ledger itself knows, those that have left the network file among them. */
export const ledgerSitesSchema = z.object({ sites: z.array(z.string()) });
export type LedgerSites = z.infer<typeof ledgerSitesSchema>;
