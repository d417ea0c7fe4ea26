/**
 * The words that introduce a law reference, each with the canonical name that its term begins with.
 *
 * The name is the same in every language, so that "Article 6", "artikel 6" and "Art. 6" are one term, `art6`.
 * English "paragraph" is the second level (`stk`) as in EU law; German "Paragraph 12" is rare beside "§ 12".
 */
const MARKERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    art: "art arts artikel artiklen artikler artiklerne artikels artikeln article articles",
    "§": "paragraf paragraffen section sec",
    stk: "stk stykke stykket abs absatz absatzes paragraph paragraphs para paras paragraphe alinéa",
    nr: "nr nummer numre no nos number numéro num ziffer pkt punkt",
    litra: "litra lit litera point points bogstav buchst buchstabe buchstaben",
    kap: "kap kapitel kapitlet chapter chapitre",
    bilag: "bilag bilaga annex annexe anhang",
  }).flatMap(([name, words]) => words.split(" ").map((word): [string, string] => [word, name])),
);

/** Returns the canonical name of the reference that a lower-case word introduces, or null. */
export function markerOf(word: string): string | null {
  return MARKERS.get(word) ?? null;
}
