/** An answer that is written as it improves. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { problemOf } from "@kattegat/protocol/problem.ts";
import type { SearchResponse } from "@kattegat/protocol/search.ts";

type Line = { readonly type: "hits" | "final" } & SearchResponse;

/**
 * Runs a search, whose better rankings become lines of NDJSON; the last line is the whole answer.
 *
 * After the first byte no status can change any more, so an error becomes a last line of type `error`.
 */
export function streamSearch(
  run: (improved: (response: SearchResponse) => Promise<void>) => Promise<SearchResponse>,
  {
    requestId,
    report,
  }: { readonly requestId: string; readonly report: (error: unknown, requestId: string) => void },
): { readonly lines: ReadableStream<Uint8Array>; readonly done: Promise<void> } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let shown = "";
  const write = (line: object): Promise<void> => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
  const improved = async (response: SearchResponse): Promise<void> => {
    const ranking = response.hits.map(({ passage_id, score }) => `${passage_id} ${score}`).join(" ");
    if (ranking === shown || ranking === "") return;
    shown = ranking;
    await write({ type: "hits", ...response } satisfies Line);
  };
  const finish = async (): Promise<void> => {
    try {
      await write({ type: "final", ...(await run(improved)) } satisfies Line);
    } catch (error) {
      if (!(error instanceof KattegatError)) report(error, requestId);
      await write({ ...problemOf(error, requestId), type: "error" });
    }
    await writer.close();
  };
  // A reader that went away is no error.
  return { lines: readable, done: finish().catch(() => undefined) };
}
