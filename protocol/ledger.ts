/** The head of the ledger of copies, as the operator asks the primary for it. */
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
