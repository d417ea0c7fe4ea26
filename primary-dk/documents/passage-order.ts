/** What the thread that makes passages is told, what it says. */
import { z } from "zod";
import { packedPassagesSchema } from "./packed-passages.ts";

export const passageThreadSchema = z.object({ dimensions: z.int() });
export type PassageThread = Readonly<z.infer<typeof passageThreadSchema>>;

export const passageOrderSchema = z.object({
  number: z.int(),
  source: z.object({
    text: z.string(),
    lang: z.string(),
    passages: z
      .array(z.object({ text: z.string(), vector: z.instanceof(Float32Array).nullable() }))
      .nullable(),
  }),
});
export type PassageOrder = z.infer<typeof passageOrderSchema>;

export const passageReplySchema = z.union([
  /** Said before the work: what ends the thread from here on is about this order. */
  z.object({ begun: z.int() }),
  z.object({ number: z.int(), made: packedPassagesSchema }),
  z.object({ number: z.int(), failure: z.instanceof(Error) }),
]);
export type PassageReply = z.infer<typeof passageReplySchema>;
