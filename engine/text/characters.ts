/** What a character does inside a word. */
export const OTHER = 0;
export const LETTER = 1;
export const DIGIT = 2;
/** A letter of a script that is written without spaces. */
export const UNSPACED = 3;
/** A combining mark: belongs to the character before it. */
export const MARK = 4;
/** Invisible inside a word: soft hyphen, joiners. Skipped when the term is made. */
export const IGNORABLE = 5;

const LETTERS = /\p{L}/u;
const DIGITS = /\p{N}/u;
const MARKS = /\p{M}/u;
const UNSPACED_SCRIPTS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Yi}\p{Script=Javanese}\p{Script=Balinese}\p{Script=Tai_Tham}\p{Script=Tai_Le}\p{Script=New_Tai_Lue}]/u;

const PAGE_BITS = 8;
/** Filled when a text first touches a page of 256 characters, so that start-up pays nothing: a pure memo of the functions above. */
const pages: (Uint8Array | undefined)[] = [];

/** Returns the class of one code point. */
export function classOf(codePoint: number): number {
  const page = pages[codePoint >> PAGE_BITS] ?? fillPage(codePoint >> PAGE_BITS);
  return page[codePoint & 255] ?? OTHER;
}

/** Returns the code point at `index`; a lone surrogate is itself. */
export function codePointAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xd800 && code < 0xdc00 ? (text.codePointAt(index) ?? code) : code;
}

/** Returns how many UTF-16 units a code point takes. */
export function widthOf(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}

function fillPage(number: number): Uint8Array {
  const page = new Uint8Array(1 << PAGE_BITS);
  for (let i = 0; i < page.length; i += 1) page[i] = classify((number << PAGE_BITS) + i);
  pages[number] = page;
  return page;
}

function classify(codePoint: number): number {
  if (codePoint === 0xad || codePoint === 0x200c || codePoint === 0x200d || codePoint === 0x2060)
    return IGNORABLE;
  const character = String.fromCodePoint(codePoint);
  if (MARKS.test(character)) return MARK;
  if (DIGITS.test(character)) return DIGIT;
  if (!LETTERS.test(character)) return OTHER;
  return UNSPACED_SCRIPTS.test(character) ? UNSPACED : LETTER;
}
