import { hash32 } from "./hash.ts";
import { type Language, stem, STEMMED_LANGUAGES } from "./language.ts";
import { markerOf } from "./markers.ts";
import { hashOfPiece, WordTable } from "./word-table.ts";
import type { Piece } from "./words.ts";

/** Longer terms are cut: a base64 blob is one "word", and no one searches by its end; the German stemmer is quadratic. Both sides cut alike. */
const TERM_UNITS_MAX = 64;
/** Two generations of this many words take 7.4 MB when full; a word seen for the first time costs five times a known one. */
const GENERATION_WORDS_MAX = 20_000;

/** A form under which a word is indexed. */
export interface Form {
  readonly term: string;
  /** The term's `hash32`. */
  readonly id: number;
}

/** A word as it stands in a text, with everything that depends on it alone. */
export interface Word {
  readonly piece: string;
  /** NFC, lower case, without invisible characters. */
  readonly folded: Form;
  /** The canonical name of the law reference that it introduces ("artikel" → "art"). */
  readonly marker: string | null;
  readonly stems: Map<Language, Form>;
}

let young = new WordTable<Word>();
let old = new WordTable<Word>();

/** Returns the word at a place of a text; a memo of a pure function, bounded by dropping the older generation. */
export function wordAt(text: string, place: Pick<Piece, "start" | "end">): Word {
  const { start, end } = place;
  if (end - start > TERM_UNITS_MAX) return makeWord(text.slice(start, end));
  const hash = hashOfPiece(text, start, end);
  const known = young.find(text, place, hash);
  if (known !== null) return known;
  // A slice keeps its whole source text alive in V8, so what is kept is a copy.
  const word = old.find(text, place, hash) ?? makeWord(` ${text.slice(start, end)}`.slice(1));
  if (young.size >= GENERATION_WORDS_MAX) {
    old = young;
    young = new WordTable();
  }
  young.add(word, hash);
  return word;
}

/** Returns the stem of a word, computed once per language. */
export function stemOf(word: Word, language: Language): Form {
  if (language === "und") return word.folded;
  const known = word.stems.get(language);
  if (known !== undefined) return known;
  const made = stem(word.folded.term, language);
  // A stemmer may leave nothing of a word that is all ending.
  const kept = made === "" || made === word.folded.term ? word.folded : { term: made, id: hash32(made) };
  word.stems.set(language, kept);
  return kept;
}

/** Returns the distinct forms under which a word may be indexed, the unstemmed form first. */
export function formsOf(word: Word): Set<string> {
  const forms = new Set([word.folded.term]);
  for (const language of STEMMED_LANGUAGES) forms.add(stemOf(word, language).term);
  return forms;
}

function makeWord(piece: string): Word {
  const folded = fold(piece);
  return { piece, folded: { term: folded, id: hash32(folded) }, marker: markerOf(folded), stems: new Map() };
}

/** Returns NFC in lower case without soft hyphens or joiners, cut to a term's length. */
export function fold(piece: string): string {
  // Four units per kept unit: room for decomposed marks before the cut.
  const bounded = piece.length > TERM_UNITS_MAX * 4 ? piece.slice(0, TERM_UNITS_MAX * 4) : piece;
  const visible = bounded.replace(/\u00ad|\u200c|\u200d|\u2060/g, "");
  return visible.normalize("NFC").toLowerCase().slice(0, TERM_UNITS_MAX);
}
