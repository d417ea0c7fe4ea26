/** Queries of the oracle test: excerpts of the texts themselves with questions of several languages. */
import type { OracleDocument } from "./exact-index.ts";

export interface OracleQuery {
  readonly text: string;
  readonly lang: string;
}

const QUESTIONS: readonly OracleQuery[] = [
  { lang: "da", text: "enhver har ret til undervisning" },
  { lang: "da", text: "må staten fratage nogen sin ejendom" },
  { lang: "da", text: "uafhængig og upartisk domstol" },
  { lang: "da", text: "ret til hvile og fritid, § 24" },
  { lang: "en", text: "right to work and just conditions of employment" },
  { lang: "en", text: "redistribution in source and binary forms" },
  { lang: "en", text: "no warranty of merchantability" },
  { lang: "en", text: "who may be held in slavery" },
  { lang: "de", text: "Recht auf Bildung und Unterricht" },
  { lang: "de", text: "Schutz der Familie durch Gesellschaft und Staat" },
  { lang: "sv", text: "frihet från godtyckligt anhållande" },
  { lang: "sv", text: "rätt till en nationalitet" },
  { lang: "fr", text: "liberté d'opinion et d'expression" },
  { lang: "fr", text: "nul ne sera tenu en esclavage" },
];

/** Words in an excerpt: what a person pastes into a search box. */
const EXCERPT_WORDS = [3, 5, 8, 12] as const;

/**
 * Makes `count` queries: the questions, then excerpts taken in turn from each of `langs`, at places spread evenly over
 * the documents of that language; no randomness, so that a failure can be repeated.
 */
export function oracleQueries(
  documents: readonly OracleDocument[],
  options: { readonly langs: readonly string[]; readonly count: number },
): OracleQuery[] {
  const queries = [...QUESTIONS];
  const byLang = options.langs.map((lang) => ({
    lang,
    texts: documents
      .filter((document) => document.lang?.split("-")[0] === lang)
      .map(({ passages }) => passages.join(" ")),
  }));
  for (let turn = 0; queries.length < options.count; turn += 1) {
    const { lang, texts } = byLang[turn % byLang.length] ?? { lang: "", texts: [] };
    const text = texts[turn % Math.max(1, texts.length)];
    if (text === undefined) throw new Error(`the samples hold no text in ${lang}`);
    const words = text.split(/\s+/);
    const length = EXCERPT_WORDS[turn % EXCERPT_WORDS.length] ?? 5;
    const start = (turn * 7919) % Math.max(1, words.length - length);
    queries.push({ lang, text: words.slice(start, start + length).join(" ") });
  }
  return queries.slice(0, options.count);
}
