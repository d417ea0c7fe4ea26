import { ColdFormatError } from "../format-error.ts";
import { decodeText, encodeText } from "../utf8.ts";
import { encodeSectionFile, sectionOf, type SectionFileKind, type Sections } from "./section-file.ts";

/** The resident part of a base: "Kattegat cold base, root". */
export const ROOT_KIND: SectionFileKind = { magic: "KCBR", version: 2 };

const ABOUT = "about";

/** Which vectors a base holds. */
export interface BaseAbout {
  readonly model: string;
  readonly dimensions: number;
}

/** Returns the root of these parts. */
export function encodeRoot(about: BaseAbout, parts: readonly Sections[]): Uint8Array<ArrayBuffer> {
  const { model, dimensions } = about;
  const sections = new Map([[ABOUT, encodeText(JSON.stringify({ model, dimensions }))]]);
  for (const part of parts) {
    for (const [name, bytes] of part) {
      if (sections.has(name)) throw new RangeError(`expected one section ${name}, two parts have it`);
      sections.set(name, new Uint8Array(bytes));
    }
  }
  return encodeSectionFile(ROOT_KIND, sections);
}

/** Returns what the root says of itself. @throws {ColdFormatError} when it says nothing of the kind. */
export function decodeAbout(sections: Sections): BaseAbout {
  const about: unknown = JSON.parse(decodeText(sectionOf(sections, ABOUT)));
  if (
    typeof about !== "object" ||
    about === null ||
    !("model" in about) ||
    typeof about.model !== "string" ||
    !("dimensions" in about) ||
    typeof about.dimensions !== "number"
  )
    throw new ColdFormatError("expected the model and dimensions of the base");
  return { model: about.model, dimensions: about.dimensions };
}
