import { describe, expect, it } from "vitest";
import { formatSummary } from "./ingest.ts";

describe("the summary of an ingest", () => {
  it("brings no control character of a refused line to the terminal", () => {
    const text = formatSummary(
      {
        source: "photo.ndjson",
        complete: true,
        resumed_after_line: 0,
        documents: 0,
        passages: 0,
        refused: 1,
        refused_lines: [
          {
            line: 1,
            id: "a\u009Bb",
            code: "bad_json",
            detail: "Unexpected token '\u001B[2J', \"\u0000\u0007\"",
          },
        ],
        took_ms: 1,
        documents_per_second: 0,
        passages_per_second: 0,
      },
      undefined,
    );
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/);
    expect(text).toContain("line 1 (a b): bad_json: Unexpected token");
  });
});
