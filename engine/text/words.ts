import {
  classOf,
  codePointAt,
  DIGIT,
  IGNORABLE,
  LETTER,
  MARK,
  OTHER,
  UNSPACED,
  widthOf,
} from "./characters.ts";

/** A run of characters that belong together; offsets are UTF-16 units of the source. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly digits: boolean;
  readonly letters: boolean;
}

/**
 * Finds the words of a text in one pass, without looking back.
 *
 * An apostrophe separates ("l'homme" is "l", "homme"; "O'Brien" is "o", "brien"): the same rule in every language, because a
 * query does not say which language it is in. Scripts without spaces give overlapping pairs of characters.
 */
export function scanWords(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length) {
    const code = codePointAt(text, at);
    const kind = classOf(code);
    if (kind === LETTER || kind === DIGIT) at = scanSpaced(text, at, pieces);
    else if (kind === UNSPACED) at = scanUnspaced(text, at, pieces);
    else at += widthOf(code);
  }
  return pieces;
}

function scanSpaced(text: string, start: number, pieces: Piece[]): number {
  let digits = false;
  let letters = false;
  let at = start;
  let end = start;
  while (at < text.length) {
    const code = codePointAt(text, at);
    const kind = classOf(code);
    if (kind === OTHER || kind === UNSPACED) break;
    at += widthOf(code);
    if (kind === IGNORABLE) continue;
    if (kind === DIGIT) digits = true;
    else if (kind === LETTER) letters = true;
    end = at;
  }
  pieces.push({ start, end, digits, letters });
  return at;
}

function scanUnspaced(text: string, start: number, pieces: Piece[]): number {
  let previous = -1;
  let current = start;
  let at = start;
  let pairs = 0;
  while (current < text.length && classOf(codePointAt(text, current)) === UNSPACED) {
    at = endOfCluster(text, current);
    if (previous >= 0) {
      pieces.push({ start: previous, end: at, digits: false, letters: true });
      pairs += 1;
    }
    previous = current;
    current = at;
  }
  if (pairs === 0) pieces.push({ start, end: at, digits: false, letters: true });
  return at;
}

function endOfCluster(text: string, start: number): number {
  let at = start + widthOf(codePointAt(text, start));
  while (at < text.length) {
    const code = codePointAt(text, at);
    const kind = classOf(code);
    if (kind !== MARK && kind !== IGNORABLE) break;
    at += widthOf(code);
  }
  return at;
}
