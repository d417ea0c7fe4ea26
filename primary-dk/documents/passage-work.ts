/** How much work the passages of a document are. */
import type { PassageSource } from "./passages.ts";

/** What a passage costs beside its words, its vector's rounding above all: a hundredth of a millisecond. */
const PASSAGE_CHARACTERS = 200;

/** In characters of a text that is split: its length, unless the caller's own passages take the text's place. */
export function workCharacters({ text, passages }: Pick<PassageSource, "text" | "passages">): number {
  if (passages === null) return text.length;
  return passages.reduce((sum, passage) => sum + passage.text.length + PASSAGE_CHARACTERS, 0);
}
