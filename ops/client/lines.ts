/** Lines of a stream of UTF-8. */

/** One document of 16 MiB escaped in the worst way; a longer line is no document. */
const LINE_CHARACTERS_MAX = 64 * 1_024 * 1_024;

/** A line is longer than any document. */
export class LineTooLongError extends Error {
  override readonly name = "LineTooLongError";
}

/** Yields lines without their ends, empty ones left out. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  for await (const { text } of numberedLines(chunks)) if (text.trim() !== "") yield text;
}

export interface NumberedLine {
  /** Counted from 1, empty lines included, as an editor counts. */
  readonly number: number;
  readonly text: string;
}

/** @throws {LineTooLongError} */
export async function* numberedLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<NumberedLine, void, undefined> {
  const decoder = new TextDecoder("utf-8");
  // Pieces of an unfinished line are joined once, since a long line comes in many chunks.
  let pieces: string[] = [];
  let length = 0;
  let number = 0;
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    for (const [index, part] of parts.entries()) {
      pieces.push(part);
      length += part.length;
      if (length > LINE_CHARACTERS_MAX)
        throw new LineTooLongError(
          `Line ${number + 1} is longer than ${LINE_CHARACTERS_MAX} characters; expected one JSON document per line.`,
        );
      if (index === parts.length - 1) break;
      number += 1;
      yield { number, text: withoutReturn(pieces.join("")) };
      pieces = [];
      length = 0;
    }
  }
  const rest = pieces.join("") + decoder.decode();
  if (rest !== "") yield { number: number + 1, text: withoutReturn(rest) };
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
