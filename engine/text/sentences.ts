/** A part of a text, [start, end) in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A full stop after one of these ends no sentence. */
const ABBREVIATIONS: ReadonlySet<string> = new Set(
  "stk nr art artt jf jfr bl ca cf dvs ff fx hhv inkl kap lit litra mv pkt pga vedr abs bzw ggf nr ziff usw vgl sog no para paras para pp vol vs st dr mr mrs prof al etc eks t.ex bl.a f.eks m.v m.m o.l z.b d.h u.a i.e e.g c-à-d p.ex".split(
    " ",
  ),
);
/** The longest abbreviation above, with room. */
const ABBREVIATION_UNITS_MAX = 8;

/**
 * Cuts a part of a text into sentences, trimmed; none is longer than `unitsMax`.
 *
 * Written here, because Intl.Segmenter follows the ICU of its engine: two sites would cut the same text at unlike places.
 */
export function sentencesOf(text: string, span: Span, unitsMax: number): Span[] {
  const sentences: Span[] = [];
  let start = span.start;
  for (let at = span.start; at < span.end; at += 1) {
    const end = sentenceEnd(text, at, span);
    if (end < 0) continue;
    pushBounded(text, { start, end }, unitsMax, sentences);
    start = end;
    at = end - 1;
  }
  pushBounded(text, { start, end: span.end }, unitsMax, sentences);
  return sentences;
}

/** Returns where the sentence that closes with the mark at `at` ends, or −1. */
function sentenceEnd(text: string, at: number, span: Span): number {
  const code = text.charCodeAt(at);
  // 。！？ need no space behind.
  if (code === 0x3002 || code === 0xff01 || code === 0xff1f) return at + 1;
  // . ! ? ؟ । ۔ ; and the line break of a list
  const isStop = code === 0x2e;
  if (
    !isStop &&
    code !== 0x21 &&
    code !== 0x3f &&
    code !== 0x61f &&
    code !== 0x964 &&
    code !== 0x6d4 &&
    code !== 0x3b
  )
    return -1;
  let end = at + 1;
  while (end < span.end && isClosing(text.charCodeAt(end))) end += 1;
  if (end < span.end && !/\s/.test(text.charAt(end))) return -1;
  let next = end;
  while (next < span.end && next - end < 8 && /\s/.test(text.charAt(next))) next += 1;
  if (code !== 0x3b && /\p{Ll}/u.test(text.charAt(next))) return -1;
  return isStop && isAbbreviation(text, at, span.start) ? -1 : end;
}

function isAbbreviation(text: string, stop: number, from: number): boolean {
  let start = stop;
  while (start > from && stop - start <= ABBREVIATION_UNITS_MAX && !/[\s(]/.test(text.charAt(start - 1)))
    start -= 1;
  const word = text.slice(start, stop).toLowerCase();
  return ABBREVIATIONS.has(word) || (word.length === 1 && /\p{L}/u.test(word));
}

/** ) ] " ' » ’ ” */
function isClosing(code: number): boolean {
  return (
    code === 0x29 ||
    code === 0x5d ||
    code === 0x22 ||
    code === 0x27 ||
    code === 0xbb ||
    code === 0x2019 ||
    code === 0x201d
  );
}

/** Adds the trimmed span, cut at spaces where it is too long. */
function pushBounded(text: string, span: Span, unitsMax: number, spans: Span[]): void {
  let { start } = trimmed(text, span);
  const { end } = trimmed(text, span);
  while (end - start > unitsMax) {
    const cut = cutBefore(text, start, start + unitsMax);
    const part = trimmed(text, { start, end: cut });
    if (part.end > part.start) spans.push(part);
    start = trimmed(text, { start: cut, end }).start;
  }
  if (end > start) spans.push({ start, end });
}

/** Returns the last space in the second half of the range, or its end, outside a surrogate pair. */
function cutBefore(text: string, start: number, limit: number): number {
  const half = start + ((limit - start) >> 1);
  for (let at = limit; at > half; at -= 1) if (/\s/.test(text.charAt(at))) return at;
  const code = text.charCodeAt(limit);
  return code >= 0xdc00 && code <= 0xdfff ? limit - 1 : limit;
}

/** Returns the span without the white space at its ends. */
export function trimmed(text: string, span: Span): Span {
  let { start, end } = span;
  while (start < end && /\s/.test(text.charAt(start))) start += 1;
  while (end > start && /\s/.test(text.charAt(end - 1))) end -= 1;
  return { start, end };
}
