import { hash32 } from "./hash.ts";
import type { Language } from "./language.ts";
import { formsOf, stemOf, wordAt } from "./lexicon.ts";
import {
  compoundReferences,
  isJoined,
  markedReferences,
  type Reference,
  sectionReferences,
} from "./references.ts";
import { readWords, type TextWords } from "./text-words.ts";
import { type Piece, scanWords } from "./words.ts";

export { type Language, languageOf } from "./language.ts";

/** A term where it stands; `start` and `end` are UTF-16 units of the source text. Tokens may overlap. */
export interface Token {
  readonly term: string;
  readonly start: number;
  readonly end: number;
}

/** Each query term is one posting list to read; a pasted page gains nothing past its first 256 forms. */
const QUERY_TERMS_MAX = 256;

/**
 * Returns the terms of a text in reading order: its words, stemmed for `language`, beside its law references.
 *
 * A reference is a term of its own (`§12`, `stk2`, `art6`, `2016/679`, `2024-05-01`) beside its words, so that both
 * "2016/679" and "679" find the regulation. No word is left out: BM25 weighs the frequent ones down.
 *
 * @example analyze("§ 12, stk. 2", "da") // §12, 12, stk2, stk, 2
 */
export function analyze(text: string, language: Language): Token[] {
  const tokens: Token[] = [];
  forEachTerm(readWords(text), language, (term, _id, { start, end }) => {
    tokens.push({ term, start, end });
  });
  return tokens;
}

/** Returns the `hash32` of each term that `analyze` returns, in its order. */
export function termIds(words: TextWords, language: Language): Uint32Array<ArrayBuffer> {
  const ids: number[] = [];
  forEachTerm(words, language, (term, id) => {
    ids.push(id ?? hash32(term));
  });
  return new Uint32Array(ids);
}

/** `id` is null where nobody has hashed the term yet. */
type VisitTerm = (term: string, id: number | null, place: Pick<Piece, "start" | "end">) => void;

function forEachTerm({ text, pieces, words }: TextWords, language: Language, visit: VisitTerm): void {
  const scan = { compoundEnd: 0 };
  for (let i = 0; i < pieces.length; i += 1) {
    const piece = pieces[i];
    const word = words[i];
    if (piece === undefined || word === undefined) break;
    for (const reference of referencesAt(text, pieces, i, word.marker, scan))
      visit(reference.term, null, reference);
    const { term, id } = piece.digits ? word.folded : stemOf(word, language);
    visit(term, id, piece);
  }
}

/**
 * Returns every form under which the words of a query may be indexed, with the number of times each occurs.
 *
 * The language of a query is unknown, so each word stands for its stems in all languages besides itself. Time is linear in
 * the text; reading stops at 256 distinct terms.
 */
export function queryTerms(text: string): Map<string, number> {
  const terms = new Map<string, number>();
  const add = (term: string): void => {
    if (terms.size < QUERY_TERMS_MAX || terms.has(term)) terms.set(term, (terms.get(term) ?? 0) + 1);
  };
  const pieces = scanWords(text);
  const scan = { compoundEnd: 0 };
  for (let i = 0; i < pieces.length && terms.size < QUERY_TERMS_MAX; i += 1) {
    const piece = pieces[i];
    if (piece === undefined) break;
    const word = wordAt(text, piece);
    for (const reference of referencesAt(text, pieces, i, word.marker, scan)) add(reference.term);
    if (piece.digits) add(word.folded.term);
    else for (const form of formsOf(word)) add(form);
  }
  return terms;
}

const NO_REFERENCES: readonly Reference[] = [];

function referencesAt(
  text: string,
  pieces: readonly Piece[],
  index: number,
  marker: string | null,
  scan: { compoundEnd: number },
): readonly Reference[] {
  const piece = pieces[index];
  const next = pieces[index + 1];
  if (piece === undefined) return NO_REFERENCES;
  const compound = next !== undefined && piece.start >= scan.compoundEnd && isJoined(text, piece, next);
  if (!compound && marker === null && !piece.digits) return NO_REFERENCES;
  const references = piece.digits ? sectionReferences(text, pieces, index) : [];
  if (marker !== null) references.push(...markedReferences(text, pieces, index, marker));
  if (!compound) return references;
  for (const reference of compoundReferences(text, pieces, index)) {
    references.push(reference);
    scan.compoundEnd = Math.max(scan.compoundEnd, reference.end);
  }
  return references;
}
