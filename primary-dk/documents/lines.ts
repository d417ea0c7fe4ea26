/** Lines of a streamed body as bytes. */

/** A line longer than the bound comes as null, its bytes unread; an empty line is not yielded. */
export interface BodyLine {
  readonly number: number;
  readonly bytes: Uint8Array | null;
}

const NEWLINE = 0x0a;

/** Yields the lines one by one and reads no further than the consumer asks: back-pressure reaches the sender. */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  { lineBytesMax }: { readonly lineBytesMax: number },
): AsyncGenerator<BodyLine> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): BodyLine | null => {
    number += 1;
    const line = length > lineBytesMax ? null : Buffer.concat(parts);
    parts = [];
    length = 0;
    return line !== null && isBlank(line) ? null : { number, bytes: line };
  };
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      length += end - start;
      if (length <= lineBytesMax) parts.push(chunk.subarray(start, end));
      const line = take();
      if (line !== null) yield line;
      start = end + 1;
    }
    length += chunk.length - start;
    if (length > lineBytesMax) parts = [];
    else parts.push(chunk.subarray(start));
  }
  if (length === 0) return;
  const last = take();
  if (last !== null) yield last;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
