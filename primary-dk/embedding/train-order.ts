/** What the thread that trains is told, what it says. */
import { z } from "zod";
import { keyringPlaceSchema } from "../sealing/keyring.ts";

export const trainingOrderSchema = z.object({
  databaseUrl: z.string(),
  keyring: keyringPlaceSchema,
  classes: z.array(z.string()).readonly(),
  dimensions: z.int(),
  seed: z.int(),
  /** Where the artefact comes to lie. */
  folder: z.string(),
});
export type TrainingOrder = Readonly<z.infer<typeof trainingOrderSchema>>;

export const trainingMessageSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("progress"),
    progress: z.discriminatedUnion("step", [
      z.object({ step: z.enum(["counted", "sampled"]), passages: z.int() }),
      z.object({ step: z.literal("words"), words: z.int(), passages: z.int() }),
      z.object({ step: z.literal("pass"), pass: z.int(), passes: z.int() }),
      z.object({ step: z.literal("rows"), words: z.int() }),
    ]),
  }),
  z.object({ kind: z.literal("trained"), model: z.string() }),
  /** Postgres cannot be used; `code` is its own or the socket's. */
  z.object({ kind: z.literal("unavailable"), code: z.string() }),
  /** No word stands in three passages, so there is nothing to learn from. */
  z.object({ kind: z.literal("nothing-to-learn"), passages: z.int() }),
]);
export type TrainingMessage = z.infer<typeof trainingMessageSchema>;
