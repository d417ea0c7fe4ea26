/** Reader of the change feed's lines. */
import { feedLineSchema, type FeedChange, type FeedHead } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseJson } from "@kattegat/protocol/parse.ts";

/** Twice the vectors and texts of a document with the most passages that one may have. */
const FEED_BYTES_MAX = 256 * 1_024 * 1_024;

export interface FeedAnswer {
  readonly changes: readonly FeedChange[];
  readonly head: FeedHead;
}

/**
 * Reads one answer of the feed.
 *
 * @throws {KattegatError} `unavailable` when the answer was cut: without its last line nobody knows what is missing.
 */
export async function readFeed(body: AsyncIterable<Uint8Array>): Promise<FeedAnswer> {
  const changes: FeedChange[] = [];
  let head: FeedHead | null = null;
  for await (const line of linesOf(body)) {
    if (head !== null)
      throw new KattegatError("internal", "Expected the feed to end with its head; another line followed.");
    const parsed = parseJson(feedLineSchema, line);
    if (parsed.kind === "head") head = parsed;
    else changes.push(parsed);
  }
  if (head === null)
    throw new KattegatError("unavailable", "Expected the feed to end with its head; the answer was cut.");
  return { changes, head };
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  // The pieces of a long line are joined once: appending to one string copied megabytes for each network packet.
  let pieces: string[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > FEED_BYTES_MAX)
      throw new KattegatError("internal", `Expected a feed answer of at most ${FEED_BYTES_MAX} bytes.`);
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    const last = parts.pop() ?? "";
    for (const part of parts) {
      const line = pieces.length === 0 ? part : pieces.join("") + part;
      pieces = [];
      if (line.length > 0) yield line;
    }
    if (last.length > 0) pieces.push(last);
  }
  // A line without its newline was cut; it is left out, so the head is missing.
}
