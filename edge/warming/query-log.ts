/** What colos were asked, as a log that can be replayed. */
import { z } from "zod";

const askedSchema = z.object({
  /** Milliseconds since 1970. */
  at: z.number(),
  colo: z.string().min(1),
  /** Numbers of the lists that the query read. */
  lists: z.array(z.number().int().nonnegative()).readonly(),
});

const publishedSchema = z.object({
  at: z.number(),
  generation: z.number().int().positive(),
  /** For each list of this generation the list of the one before that it comes from. */
  ancestors: z.array(z.number().int().nonnegative()).readonly(),
});

const recordSchema = z.union([askedSchema, publishedSchema]);

/** A query at a colo, or a new generation for all of them. */
export type LogRecord = z.infer<typeof recordSchema>;

/** Reads lines of `{at, colo, lists}` and `{at, generation, ancestors}`. @throws {TypeError} naming the line that is neither. */
export function* parseQueryLog(lines: Iterable<string>): Generator<LogRecord> {
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    const record = recordSchema.safeParse(JSON.parse(line));
    if (!record.success)
      throw new TypeError(
        `line ${number}: expected {at, colo, lists} or {at, generation, ancestors}, got ${line.slice(0, 80)}`,
      );
    yield record.data;
  }
}
