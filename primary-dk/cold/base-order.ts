/** What the thread that makes a base is told, and what it says. */
import { z } from "zod";
import { keyringPlaceSchema } from "../sealing/keyring.ts";
import { recordSchema } from "./record.ts";

export const baseOrderSchema = z.object({
  databaseUrl: z.string(),
  keyring: keyringPlaceSchema,
  /** Where its files come to lie. */
  folder: z.string(),
  key: z.string(),
  model: z.string(),
  dimensions: z.int(),
  /** The column that has the model's vectors. */
  vectors: z.enum(["dense", "dense_next"]),
  /** Residency classes whose cold documents go in. */
  classes: z.array(z.string()),
});
export type BaseOrder = Readonly<z.infer<typeof baseOrderSchema>>;

/** Null when no passage belongs into a base. */
export const madeSchema = recordSchema.omit({ made_at: true }).nullable();
export type MadeBase = z.infer<typeof madeSchema>;
