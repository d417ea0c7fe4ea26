/** How many documents the network holds, by class and tier. */
import { z } from "zod";
import { tierNameSchema } from "./search.ts";
import { sequenceSchema } from "./sequence.ts";

export const censusSchema = z.object({
  sequence: sequenceSchema,
  groups: z.array(
    z.object({
      residency: z.string(),
      tier: tierNameSchema,
      documents: z.int().min(0),
      passages: z.int().min(0),
      /** An estimate: the group's share, by passages, of what the tables with their indexes take. */
      bytes: z.int().min(0),
    }),
  ),
});
export type Census = z.infer<typeof censusSchema>;
