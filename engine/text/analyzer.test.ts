import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyze, type Language, languageOf, queryTerms } from "./analyzer.ts";

const terms = (text: string, language: Language = "und"): string[] =>
  analyze(text, language).map(({ term }) => term);
const TEXT = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.constantFrom(
        "§ 12 a",
        "Art. 6(1)(a)",
        "2016/679/EU",
        "13.05.2014",
        "e\u0301",
        "だが",
        "ทุกคน",
        "l'",
        "-",
        "/",
        ".",
        " ",
        "\u00ad",
      ),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(""));

describe("words", () => {
  it.each([
    ["da", "undervisningen", "undervisning"],
    ["en", "rights", "right"],
    ["de", "Häuser", "haus"],
    ["sv", "rättigheterna", "rätt"],
    ["fr", "décisions", "décis"],
  ] as const)("are stemmed in %s: %s is indexed as %s", (language, word, stem) => {
    expect(terms(word, language)).toEqual([stem]);
  });

  it("are not stemmed in an unknown language", () => {
    expect(terms("Undervisningen")).toEqual(["undervisningen"]);
  });

  it("are separated by an apostrophe of either kind in every language", () => {
    expect(terms("l'homme")).toEqual(["l", "homme"]);
    expect(terms("l’homme")).toEqual(["l", "homme"]);
  });

  it("are found through soft hyphens, in pairs where a script has no spaces", () => {
    expect(terms("rets\u00adsag")).toEqual(["retssag"]);
    expect(terms("人人生")).toEqual(["人人", "人生"]);
    expect(terms("人 a")).toEqual(["人", "a"]);
  });

  it("are the same composed or decomposed", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        expect(terms(text.normalize("NFD"))).toEqual(terms(text.normalize("NFC")));
      }),
    );
  });

  it("stand at the offsets that their tokens give", () => {
    const text = "Æbler 😀 §\u00a012 a, og Ret.";
    expect(analyze(text, "da").map(({ term, start, end }) => [term, text.slice(start, end)])).toEqual([
      ["æbl", "Æbler"],
      ["§12a", "§\u00a012 a"],
      ["12", "12"],
      ["a", "a"],
      ["og", "og"],
      ["ret", "Ret"],
    ]);
  });

  it("have offsets inside the text, never empty, for any text", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        for (const { term, start, end } of analyze(text, "fr")) {
          expect(term).not.toBe("");
          expect(0 <= start && start < end && end <= text.length).toBe(true);
        }
      }),
    );
  });
});

describe("law references", () => {
  it.each([
    ["§ 12", ["§12"]],
    ["§12", ["§12"]],
    ["§ 12 a", ["§12a"]],
    ["§ 12 i lov", ["§12", "§12i"]],
    ["§§ 3-5", ["§3", "§5", "3-5"]],
    ["§§ 3 og 5", ["§3"]],
    ["paragraf 12", ["§12"]],
    ["section 12", ["§12"]],
    ["stk. 2", ["stk2"]],
    ["Absatz 2", ["stk2"]],
    ["paragraph 2", ["stk2"]],
    ["nr. 3", ["nr3"]],
    ["litra a", ["litraa"]],
    ["point (a)", ["litraa"]],
    ["Art. 6", ["art6"]],
    ["artikel 6", ["art6"]],
    ["Article 6(1)(a)", ["art6", "stk1", "litraa"]],
    ["Kapitel IV", ["kapiv"]],
    ["(EU) 2016/679", ["2016/679"]],
    ["2016/679/EU", ["2016/679", "2016/679/eu"]],
    ["nr. 1215/2012", ["1215/2012", "nr1215"]],
    ["C-131/12", ["c-131/12"]],
    ["U.2019.123H", ["u.2019.123h"]],
    ["ECLI:EU:C:2014:317", ["c:2014:317"]],
    ["13.05.2014", ["2014-05-13"]],
    ["13/5-2014", ["2014-05-13"]],
    ["2014-05-13", ["2014-05-13"]],
  ])("%s is also indexed as %j", (text, expected) => {
    const words = new Set(text.toLowerCase().split(/[^\p{L}\p{N}]+/u));
    const references = terms(text).filter((term) => !words.has(term));
    expect(references.toSorted()).toEqual(expected.toSorted());
  });

  it.each(["Den 12. Den", "sagen slutter. 5 dage", "artikel om 6", "stk. to", "§ ", "art", "and/or"])(
    "%j holds none",
    (text) => {
      const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
      expect(terms(text).filter((term) => !words.includes(term))).toEqual([]);
    },
  );

  it("are found by a query that writes them in another language", () => {
    const indexed = new Set(terms("Efter artikel 17, stk. 3, litra b, i forordning (EU) 2016/679", "da"));
    for (const term of ["art17", "stk3", "litrab", "2016/679"]) {
      expect(indexed).toContain(term);
      expect([...queryTerms("Article 17(3)(b) of Regulation (EU) 2016/679").keys()]).toContain(term);
    }
  });
});

describe("a query", () => {
  it("holds every term of a passage that says the same, whatever the passage's language", () => {
    fc.assert(
      fc.property(TEXT, fc.constantFrom<Language>("da", "en", "de", "sv", "fr", "und"), (text, language) => {
        const query = queryTerms(text);
        fc.pre(query.size < 256);
        expect(terms(text, language).filter((term) => !query.has(term))).toEqual([]);
      }),
    );
  });

  it("counts a word that stands twice twice", () => {
    expect(queryTerms("ret og ret").get("ret")).toBe(2);
  });

  it("has 256 terms at most", () => {
    for (let count = 250; count <= 256; count += 1) {
      const numbers = Array.from({ length: count }, (_, i) => `${i}x`);
      expect(
        queryTerms([...numbers, "undervisningernes", "organizations"].join(" ")).size,
      ).toBeLessThanOrEqual(256);
    }
    expect(queryTerms(Array.from({ length: 2000 }, (_, i) => `word${i}x`).join(" ")).size).toBe(256);
  });

  it.each([
    "a",
    "1-",
    "§",
    "§ 1 ",
    "art (",
    "人",
    "e\u0301\u0301\u0301",
    "..(",
    "1/",
    "1.1.",
    "\u00ad",
    "a\u00ad",
    "ing",
    "y",
  ])("of 400,000 repeated %j is read, in linear time", (part) => {
    // Quadratic time would be minutes, which the runner's limit for one test does not allow.
    const text = part.repeat(400_000 / part.length);
    expect(analyze(text, "de").length).toBeLessThanOrEqual(text.length);
    expect(queryTerms(text).size).toBeLessThanOrEqual(text.length);
  });
});

describe("languageOf", () => {
  it.each([
    ["da", "da"],
    ["da-DK", "da"],
    ["EN_gb", "en"],
    ["deu", "de"],
    ["nb", "und"],
    ["", "und"],
    ["dan-gerous", "da"],
    ["dane", "und"],
    [null, "und"],
    [undefined, "und"],
  ])("takes %j for %s", (tag, language) => {
    expect(languageOf(tag)).toBe(language);
  });
});
