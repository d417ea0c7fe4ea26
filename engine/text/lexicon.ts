import { type Language, stem, STEMMED_LANGUAGES } from "./language.ts";
import { markerOf } from "./markers.ts";

/** Longer terms are cut: a base64 blob is one "word", and no one searches by its end; the German stemmer is quadratic. Both sides cut alike. */
const TERM_UNITS_MAX = 64;
/** Two generations of this many words take 7.4 MB when full; a word seen for the first time costs five times a known one. */
const GENERATION_WORDS_MAX = 20_000;

/** A word as it stands in a text, with everything that depends on it alone. */
export interface Word {
  /** NFC, lower case, without invisible characters. */
  readonly folded: string;
  /** The canonical name of the law reference that it introduces ("artikel" → "art"). */
  readonly marker: string | null;
  readonly stems: Map<Language, string>;
}

let young = new Map<string, Word>();
let old = new Map<string, Word>();

/** Returns the word for a piece of text; a memo of a pure function, bounded by dropping the older generation. */
export function wordOf(piece: string): Word {
  const known = young.get(piece);
  if (known !== undefined) return known;
  if (piece.length > TERM_UNITS_MAX) return makeWord(piece);
  const aged = old.get(piece);
  // A slice keeps its whole source text alive in V8, so a kept key is a copy.
  const key = aged === undefined ? ` ${piece}`.slice(1) : piece;
  const word = aged ?? makeWord(key);
  if (young.size >= GENERATION_WORDS_MAX) {
    old = young;
    young = new Map();
  }
  young.set(aged === undefined ? key : ` ${piece}`.slice(1), word);
  return word;
}

/** Returns the stem of a word, computed once per language. */
export function stemOf(word: Word, language: Language): string {
  if (language === "und") return word.folded;
  const known = word.stems.get(language);
  if (known !== undefined) return known;
  const made = stem(word.folded, language);
  // A stemmer may leave nothing of a word that is all ending.
  const kept = made === "" ? word.folded : made;
  word.stems.set(language, kept);
  return kept;
}

/** Returns the distinct forms under which a word may be indexed, the unstemmed form first. */
export function formsOf(word: Word): Set<string> {
  const forms = new Set([word.folded]);
  for (const language of STEMMED_LANGUAGES) forms.add(stemOf(word, language));
  return forms;
}

function makeWord(piece: string): Word {
  const folded = fold(piece);
  return { folded, marker: markerOf(folded), stems: new Map() };
}

/** Returns NFC in lower case without soft hyphens or joiners, cut to a term's length. */
export function fold(piece: string): string {
  // Four units per kept unit: room for decomposed marks before the cut.
  const bounded = piece.length > TERM_UNITS_MAX * 4 ? piece.slice(0, TERM_UNITS_MAX * 4) : piece;
  const visible = bounded.replace(/\u00ad|\u200c|\u200d|\u2060/g, "");
  return visible.normalize("NFC").toLowerCase().slice(0, TERM_UNITS_MAX);
}
