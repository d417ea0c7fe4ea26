import { analyze, type Language, type Token } from "./analyzer.ts";

/** Two lines of a result list. */
const SNIPPET_UNITS_MAX = 240;
/** Context before the first match, so that it can be read. */
const LEAD_UNITS_MAX = 60;
const ELLIPSIS = "…";

/** A part of a passage for a result list; highlights are [start, end) in UTF-16 units of the snippet, ascending, disjoint. */
export interface Snippet {
  snippet: string;
  highlights: [number, number][];
}

interface Match {
  readonly start: number;
  readonly end: number;
  readonly term: string;
}

/**
 * Returns the part of the text in which most of the terms stand, each of their places marked.
 *
 * A token is marked when its stem in the text's language or its unstemmed form is among the terms: exactly the forms under
 * which it could have been found. Line breaks become spaces, one for one; a cut is shown by an ellipsis.
 */
export function snippetOf(text: string, terms: ReadonlySet<string>, language: Language): Snippet {
  const matches = findMatches(text, terms, language);
  const { start, end } = chooseWindow(text, matches);
  const head = start > 0 && /\S/.test(text.slice(Math.max(0, start - 200), start)) ? ELLIPSIS : "";
  const tail = end < text.length && /\S/.test(text.slice(end, end + 200)) ? ELLIPSIS : "";
  const snippet = head + text.slice(start, end).replace(/\s/g, " ") + tail;
  const highlights: [number, number][] = [];
  for (const match of matches) {
    if (match.start < start || match.end > end) continue;
    const from = match.start - start + head.length;
    const to = match.end - start + head.length;
    const last = highlights.at(-1);
    if (last !== undefined && from < last[1]) last[1] = Math.max(last[1], to);
    else highlights.push([from, to]);
  }
  return { snippet, highlights };
}

function findMatches(text: string, terms: ReadonlySet<string>, language: Language): Match[] {
  const matches: Match[] = [];
  const collect = (tokens: readonly Token[]): void => {
    for (const { term, start, end } of tokens) if (terms.has(term)) matches.push({ start, end, term });
  };
  collect(analyze(text, language));
  if (language !== "und") collect(analyze(text, "und"));
  return matches.sort((a, b) => a.start - b.start || b.end - a.end);
}

function chooseWindow(text: string, matches: readonly Match[]): { start: number; end: number } {
  const anchor = bestAnchor(matches);
  const wanted = anchor === null ? 0 : Math.max(0, anchor - LEAD_UNITS_MAX);
  const start = anchor === null ? firstVisible(text) : wordStart(text, wanted, anchor);
  const end = wordEnd(
    text,
    Math.min(text.length, start + SNIPPET_UNITS_MAX),
    Math.max(start, anchor ?? start),
  );
  return { start, end };
}

/** Returns where the best window's first match begins: the most weight of distinct terms, then the most matches, then the first. */
function bestAnchor(matches: readonly Match[]): number | null {
  const inside = new Map<string, number>();
  let weight = 0;
  let last = 0;
  let best: { readonly start: number; readonly weight: number; readonly count: number } | null = null;
  for (const [first, match] of matches.entries()) {
    for (; last < matches.length; last += 1) {
      const next = matches[last];
      if (next === undefined || next.end > match.start + SNIPPET_UNITS_MAX - LEAD_UNITS_MAX) break;
      const times = inside.get(next.term) ?? 0;
      if (times === 0) weight += weightOf(next.term);
      inside.set(next.term, times + 1);
    }
    const count = last - first;
    if (best === null || weight > best.weight || (weight === best.weight && count > best.count))
      best = { start: match.start, weight, count };
    if (last <= first) {
      last = first + 1;
      continue;
    }
    const left = (inside.get(match.term) ?? 1) - 1;
    inside.set(match.term, left);
    if (left === 0) weight -= weightOf(match.term);
  }
  return best?.start ?? null;
}

/** Long terms are rarer, so that a window is not chosen for its function words. Whole numbers: the sums stay exact. */
function weightOf(term: string): number {
  return Math.min(term.length, 10) ** 2;
}

function firstVisible(text: string): number {
  const at = text.search(/\S/);
  return at < 0 ? 0 : at;
}

/** Returns the first word start from `wanted` on, `limit` at most. */
function wordStart(text: string, wanted: number, limit: number): number {
  if (wanted === 0) return Math.min(firstVisible(text), limit);
  let at = wanted;
  while (at < limit && !/\s/.test(text.charAt(at - 1))) at += 1;
  while (at < limit && /\s/.test(text.charAt(at))) at += 1;
  // A script without spaces has no word start on the way: keep the context.
  return at === limit && limit - wanted >= LEAD_UNITS_MAX && !/\s/.test(text.slice(wanted, limit))
    ? unbroken(text, wanted)
    : at;
}

/** Returns the last word end before `wanted`; cuts inside a word only when there is none after `limit`. */
function wordEnd(text: string, wanted: number, limit: number): number {
  if (wanted >= text.length) return text.trimEnd().length > limit ? text.trimEnd().length : text.length;
  let at = wanted;
  while (at > limit && !/\s/.test(text.charAt(at))) at -= 1;
  while (at > limit && /\s/.test(text.charAt(at - 1))) at -= 1;
  return at - limit < SNIPPET_UNITS_MAX / 4 ? unbroken(text, wanted) : at;
}

/** Returns the index, moved back out of a surrogate pair. */
function unbroken(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return at > 0 && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
