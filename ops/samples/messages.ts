/** What the loader of the samples tells its parent. */
import { z } from "zod";

export const loaderMessageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("total"), documents: z.int() }),
  z.object({ kind: z.literal("acknowledged") }),
  z.object({ kind: z.literal("refused"), id: z.string(), code: z.string(), detail: z.string() }),
  z.object({ kind: z.literal("waiting"), reason: z.string() }),
  z.object({ kind: z.literal("failed"), reason: z.string() }),
]);
export type LoaderMessage = z.infer<typeof loaderMessageSchema>;
