import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { queryTerms } from "./analyzer.ts";
import { snippetOf } from "./snippet.ts";

const FILLER = "Noget ganske andet står her uden betydning for sagen. ";
const keys = (query: string): Set<string> => new Set(queryTerms(query).keys());

describe("snippetOf", () => {
  it("shows the part where most of the query stands, its words marked", () => {
    const text = `${FILLER.repeat(10)}Retten nævnes her. ${FILLER.repeat(10)}Enhver har ret til undervisning efter § 12. ${FILLER.repeat(10)}`;
    const { snippet, highlights } = snippetOf(text, keys("retten til undervisningen § 12"), "da");
    expect(highlights.map(([start, end]) => snippet.slice(start, end))).toEqual([
      "ret",
      "til",
      "undervisning",
      "§ 12",
    ]);
    expect(snippet.length).toBeLessThanOrEqual(242);
    expect(snippet.startsWith("…")).toBe(true);
    expect(snippet.endsWith("…")).toBe(true);
  });

  it("marks a word by the stem of the document's language, not of another", () => {
    expect(snippetOf("rights", keys("right"), "en").highlights).toEqual([[0, 6]]);
    expect(snippetOf("rights", keys("right"), "und").highlights).toEqual([]);
  });

  it("shows a short text whole, its line breaks as spaces", () => {
    expect(snippetOf("  Artikel 3\nFrihed  ", keys("frihed"), "da")).toEqual({
      snippet: "Artikel 3 Frihed",
      highlights: [[10, 16]],
    });
  });

  it("shows the beginning when nothing matches", () => {
    const { snippet, highlights } = snippetOf(FILLER.repeat(20), keys("zebra"), "da");
    expect(snippet.startsWith("Noget ganske")).toBe(true);
    expect(snippet.endsWith("…")).toBe(true);
    expect(highlights).toEqual([]);
  });

  it("begins at a word, ends at a word", () => {
    const { snippet } = snippetOf(
      `${FILLER.repeat(8)}undervisning ${FILLER.repeat(8)}`,
      keys("undervisning"),
      "da",
    );
    const words = new Set(`${FILLER}undervisning`.split(" "));
    for (const word of snippet.replaceAll("…", "").split(" ")) expect(words).toContain(word);
  });

  it("finds the place in a script without spaces", () => {
    const text = `${"天地玄黄宇宙洪荒".repeat(60)}人人都有受教育的权利${"天地玄黄宇宙洪荒".repeat(60)}`;
    const { snippet, highlights } = snippetOf(text, keys("受教育"), "und");
    expect(highlights.map(([start, end]) => snippet.slice(start, end))).toEqual(["受教育"]);
    expect(snippet.length).toBeLessThanOrEqual(242);
  });

  it("keeps within 240 units with highlights ascending, disjoint, inside, for any text", () => {
    const text = fc.array(
      fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom(
          "ret ",
          "§ 12 a",
          "undervisning",
          FILLER,
          "人人都有",
          "x".repeat(500),
          " ".repeat(300),
        ),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(text, (parts) => {
        const { snippet, highlights } = snippetOf(
          parts.join(""),
          keys("ret undervisning § 12 a 人人都"),
          "da",
        );
        expect(snippet.length).toBeLessThanOrEqual(242);
        expect(snippet.isWellFormed() || !parts.join("").isWellFormed()).toBe(true);
        let last = 0;
        for (const [start, end] of highlights) {
          expect(start >= last && start < end && end <= snippet.length).toBe(true);
          last = end;
        }
      }),
      { numRuns: 300 },
    );
  });
});
