/** Answers line by line: what is read is sent before the next is read. */
import type { Context } from "hono";
import { stream } from "hono/streaming";

/** Some hundred lines: each write waits until the reader has room. */
const CHUNK_CHARACTERS = 32_768;

/** Streams NDJSON. A source that fails ends the answer early, so its last line has to say that it is the last. */
export function streamLines(
  context: Context,
  lines: AsyncIterable<object>,
  report: (error: unknown) => void,
): ReturnType<typeof stream> {
  context.header("content-type", "application/x-ndjson");
  return stream(
    context,
    async (output) => {
      let text = "";
      for await (const line of lines) {
        if (output.aborted) return;
        text += `${JSON.stringify(line)}\n`;
        if (text.length < CHUNK_CHARACTERS) continue;
        await output.write(text);
        text = "";
      }
      await output.write(text);
    },
    (error) => {
      report(error);
      return Promise.resolve();
    },
  );
}
