/** The count of a batch's lines, so that none is left without a result. */
import type { BatchResult } from "@kattegat/protocol/documents.ts";
import { joined } from "../http/body.ts";

export interface BatchTally {
  /** The caller's lines on their way to the primary. */
  readonly lines: ReadableStream<Uint8Array>;
  /**
   * Passes whole result lines on. When the primary ends before it has answered every line, each of the others gets a
   * result of its own, those included that the caller has yet to send.
   */
  results(answer: ReadableStream<Uint8Array>): ReadableStream<Uint8Array>;
}

const NEWLINE = 0x0a;
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x0d, 0x09]);

/** @param source - the caller's body; it is read to its end even when the primary stops reading. */
// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function createBatchTally(source: ReadableStream<Uint8Array>): BatchTally {
  const reader = source.getReader();
  const outstanding: number[] = [];
  let number = 0;
  let hasContent = false;
  const endLine = (): void => {
    number += 1;
    // The primary answers no blank line.
    if (hasContent) outstanding.push(number);
    hasContent = false;
  };
  /** Resolves with the next bytes, counted; null at the end. */
  async function nextCounted(): Promise<Uint8Array | null> {
    const { value, done } = await reader.read();
    if (done) {
      if (hasContent) endLine();
      return null;
    }
    let start = 0;
    for (let end = value.indexOf(NEWLINE); end >= 0; end = value.indexOf(NEWLINE, start)) {
      hasContent ||= isWritten(value.subarray(start, end));
      endLine();
      start = end + 1;
    }
    hasContent ||= isWritten(value.subarray(start));
    return value;
  }
  const unanswered = (): Uint8Array => {
    const detail = "The primary ended before it answered this line; repeat it.";
    const text = outstanding.splice(0).map((line) => {
      const result: BatchResult = { line, id: null, status: 503, error: { code: "unavailable", detail } };
      return `${JSON.stringify(result)}\n`;
    });
    return new TextEncoder().encode(text.join(""));
  };
  return {
    lines: new ReadableStream({
      async pull(controller) {
        let bytes = await nextCounted();
        // An empty chunk would end a body that is sent in chunks (RFC 9112, section 7.1).
        while (bytes?.byteLength === 0) bytes = await nextCounted();
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
    }),
    results(answer) {
      const answered = answer.getReader();
      let rest = new Uint8Array(0);
      let hasEnded = false;
      return new ReadableStream({
        async pull(controller) {
          for (;;) {
            const next = hasEnded ? null : await answered.read().catch(() => null);
            if (next === null || next.done) break;
            const bytes = joined([rest, next.value], rest.byteLength + next.value.byteLength);
            const end = bytes.lastIndexOf(NEWLINE) + 1;
            rest = bytes.slice(end);
            const whole = bytes.subarray(0, end);
            outstanding.splice(0, countLines(whole));
            // Part of a line waits for the rest of it.
            if (whole.byteLength === 0) continue;
            controller.enqueue(whole);
            return;
          }
          hasEnded = true;
          for (;;) {
            const isSent = (await nextCounted()) === null;
            const left = unanswered();
            if (left.byteLength > 0) controller.enqueue(left);
            if (isSent) controller.close();
            if (isSent || left.byteLength > 0) return;
          }
        },
        cancel: (reason) => answered.cancel(reason),
      });
    },
  };
}

function isWritten(bytes: Uint8Array): boolean {
  return bytes.some((byte) => !BLANKS.has(byte));
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
