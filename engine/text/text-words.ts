import { type Word, wordAt } from "./lexicon.ts";
import { type Piece, scanWords } from "./words.ts";

/** A text with its words, found once for all that is made of them. */
export interface TextWords {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** One for each piece. */
  readonly words: readonly Word[];
}

export function readWords(text: string): TextWords {
  const pieces = scanWords(text);
  return { text, pieces, words: pieces.map((piece) => wordAt(text, piece)) };
}
