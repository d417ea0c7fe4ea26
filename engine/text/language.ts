import { stemmer as danish } from "@orama/stemmers/danish";
import { stemmer as english } from "@orama/stemmers/english";
import { stemmer as french } from "@orama/stemmers/french";
import { stemmer as german } from "@orama/stemmers/german";
import { stemmer as swedish } from "@orama/stemmers/swedish";

/** A language whose words are stemmed; `und` stems nothing. */
export type Language = "da" | "en" | "de" | "sv" | "fr" | "und";

export const STEMMED_LANGUAGES = ["da", "en", "de", "sv", "fr"] as const;

const TAGS: ReadonlyMap<string, Language> = new Map<string, Language>([
  ["da", "da"],
  ["dan", "da"],
  ["en", "en"],
  ["eng", "en"],
  ["de", "de"],
  ["deu", "de"],
  ["ger", "de"],
  ["sv", "sv"],
  ["swe", "sv"],
  ["fr", "fr"],
  ["fra", "fr"],
  ["fre", "fr"],
]);

/**
 * Returns the language of a BCP 47 tag, by its first subtag.
 *
 * @example languageOf("de-AT") // "de"
 * @example languageOf("nb") // "und": a neighbour's stemmer would cut other endings
 */
export function languageOf(tag: string | null | undefined): Language {
  if (tag === null || tag === undefined) return "und";
  const first = /^[A-Za-z]{2,3}(?=$|[-_])/.exec(tag)?.[0] ?? "";
  return TAGS.get(first.toLowerCase()) ?? "und";
}

/** Returns the Snowball stem of a lower-case word. */
export function stem(word: string, language: Language): string {
  switch (language) {
    case "da":
      return danish(word);
    case "en":
      return english(word);
    case "de":
      return german(word);
    case "sv":
      return swedish(word);
    case "fr":
      return french(word);
    case "und":
      return word;
  }
}
