import type { TextWords } from "../text/text-words.ts";

/** Turns texts into unit vectors of one model. */
export interface Embedder {
  /** The name that the network file must give too: vectors of two models never meet in one ranking. */
  readonly model: string;
  readonly dimensions: number;
  /** Resolves with one unit vector per text, in order; the kind matters to models that were trained on unlike pairs. */
  embed(texts: readonly string[], kind: "passage" | "query"): Promise<Float32Array[]>;
  /** The same of a passage whose words somebody has found, where the model is made of words. */
  readonly embedWords?: (words: TextWords) => Float32Array;
}
