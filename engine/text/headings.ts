/** How a line begins a section: its heading, to be shown with the passages below. */
export interface Heading {
  readonly text: string;
  /** The line holds nothing but the heading. */
  readonly isAlone: boolean;
}

/** A heading is a line to be read at a glance; longer ones are shown cut. */
const HEADING_UNITS_MAX = 160;
/** Lines longer than this are text, whatever their case. */
const TITLE_UNITS_MAX = 120;

const MARKDOWN = /^#{1,6}[ \t]+\S/;
const SECTION_SIGN =
  /^§§?[ \t\u00a0]*\d+[ \t\u00a0]?(?:[a-zæøå](?![\p{L}\d]))?(?:[ \t\u00a0]*[-–][ \t\u00a0]*\d+)?\.?/u;
const NAMED =
  /^(?:kapitel|kapittel|chapter|chapitre|artikel|article|art\.|afsnit|avsnitt|abschnitt|section|bilag|bilaga|annex|annexe|anhang|del|teil|part|partie|titel|title|titre|avdelning)[ \t\u00a0]+(?:\d+|[ivxlc]+(?![\p{L}])|[a-zæøå](?![\p{L}]))[ \t\u00a0]?(?:[a-zæøå](?![\p{L}]))?[.:]?/iu;
const NUMBERED = /^\d+(?:\.\d+){0,5}\.?[ \t\u00a0]+\p{Lu}/u;
const SENTENCE_END = /[.;,!?]$/;

/** Returns the heading that a trimmed line is or begins with, or null for plain text. */
export function headingOf(line: string): Heading | null {
  const head = line.length > HEADING_UNITS_MAX * 2 ? line.slice(0, HEADING_UNITS_MAX * 2) : line;
  if (MARKDOWN.test(head)) return made(head.replace(/^#+\s+/, "").replace(/\s+#+$/, ""));
  const marker = SECTION_SIGN.exec(head)?.[0] ?? NAMED.exec(head)?.[0];
  if (marker !== undefined) return markedHeading(head, marker);
  if (line.length > TITLE_UNITS_MAX) return null;
  if (NUMBERED.test(head) && !SENTENCE_END.test(head) && line.length <= 80) return made(head);
  return isCapitals(head) ? made(head) : null;
}

/** "Artikel 26 handler om …" is a sentence; "Artikel 26", "Artikel 26. Undervisning", "§ 12. Den, der …" begin a section. */
function markedHeading(line: string, marker: string): Heading | null {
  const rest = line.slice(marker.length);
  const text = marker.trim().replace(/[.:]$/, "");
  if (rest.trim() === "") return made(text);
  const ended = /[.:]$/.test(marker);
  const marked = made(text, { isAlone: false });
  if (line.startsWith("§")) return ended ? marked : line.length <= TITLE_UNITS_MAX ? made(line) : null;
  const title = rest.trim();
  if (/^[\p{Ll}(]/u.test(title) && !ended) return null;
  return title.length <= 80 && !SENTENCE_END.test(title) ? made(line) : ended ? marked : null;
}

function isCapitals(line: string): boolean {
  const letters = line.match(/\p{L}/gu)?.length ?? 0;
  return letters >= 4 && !/\p{Ll}/u.test(line) && (line.match(/\p{Lu}/gu)?.length ?? 0) === letters;
}

function made(text: string, { isAlone }: { readonly isAlone: boolean } = { isAlone: true }): Heading {
  return {
    text: text.length > HEADING_UNITS_MAX ? `${text.slice(0, HEADING_UNITS_MAX - 1)}…` : text,
    isAlone,
  };
}
