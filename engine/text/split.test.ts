import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitPassages } from "./split.ts";

const SENTENCE = "Den, der er part i sagen, kan klage over afgørelsen inden fire uger. ";
const LINE = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    "",
    " ",
    "# Titel",
    "Kapitel 3",
    "§ 12. Den, der klager, skal klage skriftligt.",
    "Artikel 26",
    "ALMINDELIGE REGLER",
    "1.2 Formål",
    "Stk. 2. Fristen er fire uger.",
  ),
  fc.integer({ min: 1, max: 60 }).map((count) => SENTENCE.repeat(count)),
  fc.integer({ min: 1, max: 6000 }).map((count) => "x".repeat(count)),
  fc.integer({ min: 1, max: 3000 }).map((count) => `a${" ".repeat(count)}b`),
  fc.integer({ min: 1, max: 2000 }).map((count) => "😀".repeat(count)),
);
const TEXT = fc
  .array(LINE, { maxLength: 30 })
  .chain((lines) => fc.constantFrom("\n", "\r\n", "\n\n", "\u2028").map((end) => lines.join(end)));

describe("splitPassages", () => {
  it("covers all that is visible, in order, without overlap, in passages of 1 to 2,000 units", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        let end = 0;
        for (const passage of splitPassages(text)) {
          expect(passage.start).toBeGreaterThanOrEqual(end);
          expect(text.slice(end, passage.start).trim()).toBe("");
          expect(passage.end - passage.start).toBeLessThanOrEqual(2_000);
          const own = text.slice(passage.start, passage.end);
          expect(own).not.toBe("");
          expect(own).toBe(own.trim());
          end = passage.end;
        }
        expect(text.slice(end).trim()).toBe("");
      }),
      { numRuns: 300 },
    );
  });

  it("never cuts a surrogate pair", () => {
    const text = `a${"😀".repeat(5_000)}`;
    for (const { start, end } of splitPassages(text))
      expect(text.slice(start, end).isWellFormed()).toBe(true);
  });

  it("begins each passage 48 units after the one before at least", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const starts = splitPassages(text).map(({ start }) => start);
        for (const [i, start] of starts.slice(1).entries())
          expect(start - (starts[i] ?? 0)).toBeGreaterThanOrEqual(48);
      }),
    );
  });

  it.each([
    "§ 1\nx\n",
    "# a\n",
    "A; ",
    "w. ",
    "\n",
    "a",
    "a\n\n",
    "KAPITEL\n",
    `Artikel 1\n${"x".repeat(1150)}\n`,
  ])("makes 10,001 passages at most of 4 MiB of %j, in linear time", (part) => {
    // Quadratic time would be hours, which the runner's limit for one test does not allow.
    const text = part.repeat(Math.floor((4 << 20) / part.length));
    expect(splitPassages(text).length).toBeLessThanOrEqual(10_001);
  });

  it.each([
    ["# Formål", "Formål"],
    ["§ 12", "§ 12"],
    ["§ 12 a", "§ 12 a"],
    ["Artikel 26", "Artikel 26"],
    ["Article 26 – Right to education", "Article 26 – Right to education"],
    ["Kapitel IV", "Kapitel IV"],
    ["KLAGEADGANG", "KLAGEADGANG"],
    ["1.2 Klageadgang", "1.2 Klageadgang"],
  ])("begins a passage at the heading %j", (line, heading) => {
    const body = SENTENCE.repeat(3).trim();
    const passages = splitPassages(`${body}\n${line}\n${body}`);
    expect(passages.map((passage) => passage.heading)).toEqual([null, heading]);
    expect(passages[1]?.start).toBe(body.length + 1);
  });

  it("begins a passage at a numbered section whose text follows on the line", () => {
    const text = `§ 12. ${SENTENCE}\n§ 13. ${SENTENCE}\nStk. 2. ${SENTENCE}`;
    expect(
      splitPassages(text).map(({ start, end, heading }) => [heading, text.slice(start, end).slice(0, 5)]),
    ).toEqual([
      ["§ 12", "§ 12."],
      ["§ 13", "§ 13."],
    ]);
  });

  it.each([
    "Artikel 26 handler om undervisning, og den gælder.",
    "12 dage efter at klagen er modtaget, afgøres sagen.",
    "Section of the law",
    "EU",
  ])("takes %j for text", (line) => {
    const body = SENTENCE.repeat(3);
    expect(splitPassages(`${body}\n${line}\n${body}`).map(({ heading }) => heading)).toEqual([null]);
  });

  it("joins a heading that stands alone with the section below it", () => {
    expect(splitPassages(`KAPITEL 1\n\n§ 12\n${SENTENCE}`)).toEqual([
      { start: 0, end: 16 + SENTENCE.length - 2 + 1, heading: "§ 12" },
    ]);
  });

  it.each(Array.from({ length: 12 }, (_, i) => i * 9))(
    "cuts a long paragraph at sentence ends, not after an abbreviation, with %i letters more to a sentence",
    (letters) => {
      const sentence = `Klage ${"x".repeat(letters)} efter stk. 2, jf. § 4, nr. 3, kan indbringes for nævnet. `;
      const text = sentence.repeat(60);
      const passages = splitPassages(text);
      expect(passages.length).toBeGreaterThan(2);
      for (const { start, end } of passages) {
        expect(text.slice(start, end).endsWith("nævnet.")).toBe(true);
        expect(end - start).toBeLessThanOrEqual(1_200);
      }
    },
  );

  it("files a passage that spans two sections under the first of their headings", () => {
    const headings = (text: string): (string | null)[] => splitPassages(text).map(({ heading }) => heading);
    expect(headings(`# One\n\nShort.\n\n# Two\n\n${SENTENCE}`)).toEqual(["One"]);
    expect(headings(`§ 1. (Ophævet)\n§ 2. ${SENTENCE}`)).toEqual(["§ 1"]);
    expect(headings(`# One\n\n## Two\n\n${SENTENCE}`)).toEqual(["Two"]);
    expect(headings(`# One\n\n## Two\n\nShort.\n\n## Three\n\n${SENTENCE}`)).toEqual(["Two"]);
    expect(headings(`Preface.\n\n# One\n\n${SENTENCE}`)).toEqual(["One"]);
  });

  it("gives no passage for a text without anything visible", () => {
    expect(splitPassages(" \n\t\n")).toEqual([]);
  });
});
