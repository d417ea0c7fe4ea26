/** Makes the passages of a document with the vectors that every tier ranks by. */
import type { Network } from "@kattegat/config/network.ts";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { type SparseVector, passageVectorOf } from "@kattegat/engine/lexical/bm25.ts";
import { languageOf, termIds } from "@kattegat/engine/text/analyzer.ts";
import { splitPassages } from "@kattegat/engine/text/split.ts";
import { readWords } from "@kattegat/engine/text/text-words.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Pacer } from "../pacer.ts";
import type { NextEmbedder } from "../next/next-embedder.ts";
import type { DocumentContent } from "./content.ts";
import { workCharacters } from "./passage-work.ts";
import { PassagesInThread } from "./passages-in-thread.ts";

export interface PreparedPassage {
  readonly ordinal: number;
  readonly start: number;
  readonly end: number;
  /** Set when the text of the passage is no part of the document's text. */
  readonly ownText: string | null;
  readonly heading: string | null;
  readonly dense: Float32Array;
  /** By the model that is being prepared; null without one, or when it gave no vector. */
  readonly denseNext: Float32Array | null;
  readonly sparse: SparseVector;
}

/** Texts in one call of the embedder: what common endpoints take at once. */
export const EMBED_TEXTS_MAX = 64;

export interface PassageMaker {
  prepare(content: DocumentContent): Promise<readonly PreparedPassage[]>;
  close(): Promise<void>;
}

/** The part of a content that passages are made of. */
export type PassageSource = Pick<DocumentContent, "text" | "passages" | "lang">;

interface MakerOptions {
  readonly embedder: Embedder;
  /** Null without a model that is being prepared. */
  readonly next: NextEmbedder | null;
  readonly pacer: Pick<Pacer, "breathe">;
}

interface ThreadOptions {
  readonly network: Network;
  /** Hears why the thread ended, or failed. */
  readonly report: (error: unknown) => void;
}

/** Some five passages, a millisecond of work: to send less to a thread costs as much as to do it. */
const THREAD_CHARACTERS_MIN = 4_000;

/** Makes the passages of documents with little work one after another in this thread, those of others in another where it can. */
export function createPassageMaker(options: MakerOptions & ThreadOptions): PassageMaker {
  const thread = threadFor(options);
  let turn: Promise<unknown> = Promise.resolve();
  return {
    async prepare(content) {
      if (thread !== null && workCharacters(content) >= THREAD_CHARACTERS_MIN)
        return await thread.prepare(content);
      const made = turn.then(() => makePassages(content, options));
      turn = made.catch(() => null);
      return await made;
    },
    close: () => thread?.close() ?? Promise.resolve(),
  };
}

/** Null where a thread would need a copy of an artefact, or where it would have to know whether the model to come fails. */
function threadFor({
  network,
  embedder,
  next,
  report,
}: Parameters<typeof createPassageMaker>[0]): PassagesInThread | null {
  const { provider, dimensions } = network.embedding;
  if (next !== null || provider !== "hashed" || embedder.embedWords === undefined) return null;
  return new PassagesInThread({ dimensions, report });
}

export async function makePassages(
  content: PassageSource,
  { embedder, next, pacer }: MakerOptions,
): Promise<readonly PreparedPassage[]> {
  const language = languageOf(content.lang);
  const pieces = piecesOf(content);
  const made: PreparedPassage[] = [];
  for (let from = 0; from < pieces.length; from += EMBED_TEXTS_MAX) {
    const part = pieces.slice(from, from + EMBED_TEXTS_MAX);
    await pacer.breathe();
    const vectors = await vectorsOf(part, embedder);
    // Texts only: a caller's vector is the serving model's.
    const later = (await next?.embedUnlessFailing(part.map((piece) => piece.text))) ?? null;
    for (const [index, piece] of part.entries()) {
      const { text, vector: _, ...place } = piece;
      const words = readWords(text);
      const dense = vectors[index] ?? embedder.embedWords?.(words);
      if (dense === undefined)
        throw new KattegatError("unavailable", "The embedding model gave fewer vectors than texts.");
      made.push({
        ordinal: from + index + 1,
        ...place,
        dense: toCanonical(dense),
        denseNext: later?.[index] ?? null,
        sparse: passageVectorOf(termIds(words, language)),
      });
      await pacer.breathe();
    }
  }
  return made;
}

interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly ownText: string | null;
  readonly heading: string | null;
  readonly vector: Float32Array | null;
}

/** The caller's passages stand where the text has them, in order; one that is not found keeps its own text. */
function piecesOf({ text, passages }: PassageSource): Piece[] {
  if (passages === null)
    return splitPassages(text).map(({ start, end, heading }) => ({
      text: text.slice(start, end),
      start,
      end,
      ownText: null,
      heading,
      vector: null,
    }));
  let from = 0;
  return passages.map((passage) => {
    const start = text.startsWith(passage.text, from)
      ? from
      : text.startsWith(passage.text, from + 2)
        ? from + 2
        : -1;
    if (start < 0)
      return {
        text: passage.text,
        start: 0,
        end: 0,
        ownText: passage.text,
        heading: null,
        vector: passage.vector,
      };
    from = start + passage.text.length;
    return { text: passage.text, start, end: from, ownText: null, heading: null, vector: passage.vector };
  });
}

/** Those given, with those that take more than the words of one text at a time. */
async function vectorsOf(
  pieces: readonly Piece[],
  embedder: Embedder,
): Promise<(Float32Array | undefined)[]> {
  const isMadeOfWords = embedder.embedWords !== undefined;
  const asked = isMadeOfWords ? [] : pieces.filter((piece) => piece.vector === null);
  const made =
    asked.length === 0
      ? []
      : await embedder.embed(
          asked.map((piece) => piece.text),
          "passage",
        );
  let next = 0;
  return pieces.map((piece) => piece.vector ?? made[next++]);
}
