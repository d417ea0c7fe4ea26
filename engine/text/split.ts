import { headingOf } from "./headings.ts";
import { sentencesOf, type Span, trimmed } from "./sentences.ts";

/** A passage as a part of its document's text, under the nearest heading above it. */
export interface PassageSpan {
  readonly start: number;
  readonly end: number;
  readonly heading: string | null;
}

/** A section shorter than this joins the next: a heading alone, a repealed paragraph's "(ophævet)". */
const SECTION_UNITS_MIN = 48;
/** Inside a section a passage is not closed below this: shorter ones say too little to be ranked by. */
const PASSAGE_UNITS_MIN = 200;
/** About 200 words: one thought of a statute, and less than the window of common embedding models (256 tokens up). */
const PASSAGE_UNITS_TARGET = 1_200;
/** What a sentence that does not fit may add; a search hit carries the passage, and 1,000 hits must fit in 2 MB. */
const PASSAGE_UNITS_MAX = 2_000;
/** A document of 4 MiB becomes so many passages at most: one write stays one transaction, whatever its text. */
const PASSAGES_MAX = 10_000;

interface Part extends Span {
  readonly heading: string | null;
  /** The part begins a section. */
  readonly opens: boolean;
  /** The part is a heading without text. */
  readonly isBare: boolean;
}

/** A passage that may still grow. */
interface OpenPassage extends PassageSpan {
  /** So far it holds headings alone. */
  readonly isBare: boolean;
}

interface Bounds {
  readonly section: number;
  readonly passage: number;
}

/**
 * Cuts a text into passages by its structure: sections, paragraphs, sentences.
 *
 * The spans are in order, never overlap, together cover every character that is not white space, are 2,000 units long at
 * most. Each begins at least 48 units after the one before, and at least a ten-thousandth of the text.
 */
export function splitPassages(text: string): PassageSpan[] {
  // Never above the least gap that packing leaves: see packParts.
  const share = Math.min(PASSAGE_UNITS_MAX - PASSAGE_UNITS_TARGET, Math.ceil(text.length / PASSAGES_MAX));
  return packParts(partsOf(text), {
    section: Math.max(SECTION_UNITS_MIN, share),
    passage: Math.max(PASSAGE_UNITS_MIN, share),
  });
}

/**
 * Joins parts while they fit. A passage shorter than its bound takes the next part even past the target; should that pass the
 * maximum, then the two begin at least 2,000 − 1,200 units apart, because no part is longer than the target.
 */
function packParts(parts: Iterable<Part>, bounds: Bounds): PassageSpan[] {
  const passages: PassageSpan[] = [];
  let open: OpenPassage | null = null;
  const close = (): void => {
    if (open !== null) passages.push({ start: open.start, end: open.end, heading: open.heading });
  };
  for (const part of parts) {
    if (open !== null && mayJoin(open, part, bounds)) {
      // A heading that stood alone gives way to the one below it; text stays under its own, whatever follows in the passage.
      const heading: string | null =
        open.isBare && part.opens ? part.heading : (open.heading ?? part.heading);
      open = { start: open.start, end: part.end, heading, isBare: open.isBare && part.isBare };
      continue;
    }
    close();
    open = { start: part.start, end: part.end, heading: part.heading, isBare: part.isBare };
  }
  close();
  return passages;
}

function mayJoin(open: PassageSpan, part: Part, bounds: Bounds): boolean {
  if (part.end - open.start > PASSAGE_UNITS_MAX) return false;
  if (part.opens) return open.end - open.start < bounds.section;
  return part.end - open.start <= PASSAGE_UNITS_TARGET || open.end - open.start < bounds.passage;
}

/** Yields headings, paragraphs, or the sentences of long paragraphs. */
function* partsOf(text: string): Iterable<Part> {
  let heading: string | null = null;
  let paragraph: Span | null = null;
  let opens = false;
  for (const line of linesOf(text)) {
    const isBlank = line.start === line.end;
    const found = isBlank ? null : headingOf(text.slice(line.start, line.end));
    if ((isBlank || found !== null) && paragraph !== null) {
      yield* paragraphParts(text, { ...paragraph, heading, opens, isBare: false });
      paragraph = null;
      opens = false;
    }
    if (found !== null) {
      heading = found.text;
      opens = true;
    }
    if (isBlank) continue;
    paragraph = paragraph === null ? line : { start: paragraph.start, end: line.end };
    if (found === null && !/[.:;!?]$/.test(text.slice(line.end - 1, line.end))) continue;
    yield* paragraphParts(text, { ...paragraph, heading, opens, isBare: found?.isAlone ?? false });
    paragraph = null;
    opens = false;
  }
  if (paragraph !== null) yield* paragraphParts(text, { ...paragraph, heading, opens, isBare: false });
}

function* paragraphParts(text: string, paragraph: Part): Iterable<Part> {
  if (paragraph.end - paragraph.start <= PASSAGE_UNITS_TARGET) {
    yield paragraph;
    return;
  }
  let { opens } = paragraph;
  for (const sentence of sentencesOf(text, paragraph, PASSAGE_UNITS_TARGET)) {
    yield { ...paragraph, ...sentence, opens };
    opens = false;
  }
}

/** Yields the lines of a text without the white space around them. */
function* linesOf(text: string): Iterable<Span> {
  let start = 0;
  while (start < text.length) {
    let end = start;
    while (end < text.length && !isLineBreak(text.charCodeAt(end))) end += 1;
    yield trimmed(text, { start, end });
    start = end + 1;
  }
}

function isLineBreak(code: number): boolean {
  return code === 0x0a || code === 0x0d || code === 0x2028 || code === 0x2029 || code === 0x0c;
}
