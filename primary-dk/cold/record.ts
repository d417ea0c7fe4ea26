/** Which base the folder holds: the one file that is ever replaced. */
import { z } from "zod";

const fileSchema = z.object({ name: z.string(), bytes: z.int(), checksum: z.int() });

export const recordSchema = z.object({
  format: z.literal(1),
  /** What the name of each of its files begins with. */
  key: z.string(),
  model: z.string(),
  dimensions: z.int(),
  /** The database, with the state of its log, that the base was read from. */
  database: z.string(),
  epoch: z.int(),
  sequence: z.string(),
  made_at: z.iso.datetime(),
  /** Every file of the base with the CRC-32C of its bytes. */
  files: z.array(fileSchema),
});
/** What `base.json` says. */
export type BaseRecord = Readonly<z.infer<typeof recordSchema>>;
export type BaseFileRecord = BaseRecord["files"][number];
