import { fold } from "./lexicon.ts";
import type { Piece } from "./words.ts";

/** A law reference or a number with structure, as one term. */
export interface Reference {
  readonly term: string;
  readonly start: number;
  readonly end: number;
}

/** "Art. (6": a full stop, a space and a bracket at most stand between a marker and its number. */
const GAP_UNITS_MAX = 3;
/** An ECLI has five parts; anything longer is a table or an address. */
const COMPOUND_PIECES_MAX = 6;
const DATE = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$/;

/** Returns the references of "§ 12 a", "§§ 3-5": those of the number at `index` when a section sign stands before it. */
export function sectionReferences(text: string, pieces: readonly Piece[], index: number): Reference[] {
  const piece = pieces[index];
  if (piece === undefined || !piece.digits) return [];
  const sign = signBefore(text, piece.start);
  if (sign < 0) return [];
  const number = fold(text.slice(piece.start, piece.end));
  const references: Reference[] = [];
  const letter = spacedLetter(text, piece, pieces[index + 1]);
  if (letter !== null) references.push({ term: `§${number}${letter.term}`, start: sign, end: letter.end });
  // "§ 12 i lov om …": the Danish preposition is no letter of the section, yet § 55 i exists.
  if (letter === null || letter.term === "i")
    references.push({ term: `§${number}`, start: sign, end: piece.end });
  const last = rangeEnd(text, piece, pieces[index + 1]);
  if (last !== null)
    references.push({ term: `§${fold(text.slice(last.start, last.end))}`, start: last.start, end: last.end });
  return references;
}

/**
 * Returns the references of "Art. 6", "stk. 2", "litra a", "Article 6(1)(a)": those of the marker word at `index`.
 * A number in brackets right behind is the next level: `stk1`, then `litraa`.
 */
export function markedReferences(
  text: string,
  pieces: readonly Piece[],
  index: number,
  marker: string,
): Reference[] {
  const word = pieces[index];
  const value = pieces[index + 1];
  if (word === undefined || value === undefined || !isGap(text, word.end, value.start)) return [];
  if (
    !value.digits &&
    !(marker === "litra" && isAsciiLetters(text, value, 1)) &&
    !(marker === "kap" && isRoman(text, value))
  )
    return [];
  // "point 2" of an English text is "nr. 2", "point (a)" is "litra a".
  const name = marker === "litra" && value.digits ? "nr" : marker;
  const references: Reference[] = [
    { term: `${name}${fold(text.slice(value.start, value.end))}`, start: word.start, end: value.end },
  ];
  if (marker !== "art" && marker !== "§") return references;
  let before = value;
  for (const level of ["stk", "litra"]) {
    const next = pieces[index + 1 + references.length];
    if (next === undefined || !isBracketed(text, before, next)) break;
    if (level === "stk" ? !next.digits : !isAsciiLetters(text, next, 2)) break;
    references.push({
      term: `${level}${fold(text.slice(next.start, next.end))}`,
      start: next.start,
      end: next.end,
    });
    before = next;
  }
  return references;
}

/**
 * Returns "2016/679", "2016/679/eu", "c-131/12", "u.2019.123h", "2024-05-01": numbers joined without spaces, beginning at
 * `index`. A numeric date is written year first, whatever its order in the text (day before month, as in Europe).
 */
export function compoundReferences(text: string, pieces: readonly Piece[], index: number): Reference[] {
  const first = pieces[index];
  if (first === undefined) return [];
  let last = first;
  let pair: Piece | null = null;
  for (let i = 1; i < COMPOUND_PIECES_MAX; i += 1) {
    const next = pieces[index + i];
    if (next === undefined || !isJoined(text, last, next)) break;
    if (i === 1 && first.digits && next.digits && text.charCodeAt(first.end) === 0x2f) pair = next;
    last = next;
  }
  if (last === first) return [];
  const whole = text.slice(first.start, last.end);
  const date = isoDate(whole);
  const references: Reference[] = [{ term: date ?? fold(whole), start: first.start, end: last.end }];
  if (date === null && pair !== null && pair !== last)
    references.push({ term: fold(text.slice(first.start, pair.end)), start: first.start, end: pair.end });
  return references;
}

/** True when a compound may continue from `before` to `after`: joined by one mark, a number on at least one side. */
export function isJoined(text: string, before: Piece, after: Piece): boolean {
  if (after.start !== before.end + 1 || !(before.digits || after.digits)) return false;
  switch (text.charCodeAt(before.end)) {
    case 0x2f: // /
    case 0x2d: // -
    case 0x2011: // non-breaking hyphen
      return true;
    case 0x2e: // . joins numbers or "U.2019", never the end of a sentence with the next
    case 0x3a: // :
      return after.digits && (before.digits || isAsciiLetters(text, before, 2));
    default:
      return false;
  }
}

function isoDate(text: string): string | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [, day = "", month = "", year = ""] = match;
  if (Number(month) > 12 || Number(day) > 31) return null;
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

function signBefore(text: string, start: number): number {
  let at = start - 1;
  while (at >= 0 && start - at <= GAP_UNITS_MAX && isSpace(text.charCodeAt(at))) at -= 1;
  if (text.charCodeAt(at) !== 0xa7) return -1;
  return text.charCodeAt(at - 1) === 0xa7 ? at - 1 : at;
}

function spacedLetter(
  text: string,
  number: Piece,
  next: Piece | undefined,
): { term: string; end: number } | null {
  if (next === undefined || !isAsciiLetters(text, next, 1)) return null;
  if (next.start !== number.end + 1 || !isSpace(text.charCodeAt(number.end))) return null;
  return { term: fold(text.slice(next.start, next.end)), end: next.end };
}

function rangeEnd(text: string, number: Piece, next: Piece | undefined): Piece | null {
  if (next === undefined || !next.digits || next.start !== number.end + 1) return null;
  const between = text.charCodeAt(number.end);
  return between === 0x2d || between === 0x2013 ? next : null;
}

function isGap(text: string, from: number, to: number): boolean {
  if (to - from > GAP_UNITS_MAX || to === from) return false;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (!isSpace(code) && code !== 0x2e && code !== 0x28) return false;
  }
  return true;
}

function isBracketed(text: string, before: Piece, piece: Piece): boolean {
  const between = text.slice(before.end, piece.start);
  return (between === "(" || between === ")(") && text.charCodeAt(piece.end) === 0x29;
}

/** Letters of ASCII alone: any other may be one unit or two, by how the text was composed. */
function isAsciiLetters(text: string, piece: Piece, unitsMax: number): boolean {
  return piece.end - piece.start <= unitsMax && /^[A-Za-z]+$/.test(text.slice(piece.start, piece.end));
}

function isRoman(text: string, piece: Piece): boolean {
  return piece.end - piece.start <= 6 && /^[IVXLC]+$/.test(text.slice(piece.start, piece.end));
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0xa0 || code === 0x09 || code === 0x202f || code === 0x2009;
}
