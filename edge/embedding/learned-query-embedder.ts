/** The making of a query's vector by the trained embedding in this zone's bucket. */
import { ColdFormatError } from "@kattegat/engine/cold/format-error.ts";
import { HEAD_BYTES_MAX } from "@kattegat/engine/embedding/learned/artefact.ts";
import type { EmbeddingKeys } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import {
  createPagedEmbedder,
  type PagedEmbedder,
  type ReadPages,
} from "@kattegat/engine/embedding/learned/embedder.ts";
import { openSession, type PieceReaderOptions, type SessionOptions } from "../cold/piece-reader.ts";
import type { CacheLike } from "../cold/result-cache.ts";
import { createRunCaches } from "../cold/run-cache.ts";
import { readWhole } from "../cold/whole-object.ts";
import { within } from "../search/deadline.ts";
import { noVector, type QueryEmbedder } from "./query-embedder.ts";

/** An isolate has no room for the 10 MB that embedding whole corpora is worth; queries are short. */
const SPELLINGS_MAX = 2_000;

/** A model holds no document, and none is erased from it: this only bounds how long a former one takes room. */
const CACHE_SECONDS = 7 * 24 * 3_600;

export interface LearnedQueryEmbedderOptions extends Omit<PieceReaderOptions, "keyOf"> {
  readonly model: string;
  readonly keys: EmbeddingKeys;
  /** The artefact holds only what every receiving zone may cache (`config/embedding-residency.ts`). */
  readonly openCache: (colo: string) => Promise<CacheLike>;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** Reads the head once, then only the pages of a query's rare words: from memory, the location's cache or the bucket. */
export function createLearnedQueryEmbedder(given: LearnedQueryEmbedderOptions): QueryEmbedder {
  const options = { ...given, secondsMax: CACHE_SECONDS };
  const { model, keys, now } = options;
  const keyOf = (): string => keys.rows;
  const runsOf = createRunCaches({ ...options, keyOf, listKey: `${keys.rows}/runs` });
  let held: PagedEmbedder | null = null;

  /** Null for bytes that are no head of this model. */
  function opened(bytes: Uint8Array): PagedEmbedder | null {
    try {
      const embedder = createPagedEmbedder({ head: bytes, spellingsMax: SPELLINGS_MAX });
      return embedder.model === model ? embedder : null;
    } catch (error) {
      if (!(error instanceof ColdFormatError)) throw error;
      options.report(error);
      return null;
    }
  }

  /** No request waits for another's read: workerd forbids it. */
  async function embedderOf(session: SessionOptions): Promise<PagedEmbedder> {
    if (held !== null) return held;
    const read = readWhole({ ...options, key: keys.head, bytes: HEAD_BYTES_MAX, open: opened }, session);
    const head = await within(read, session.endsAt - now()).catch((error: unknown) => {
      options.report(error);
      return null;
    });
    if (head === null) throw noVector(`The embedding ${model} has not come to this edge, or cannot be read`);
    session.subrequests.later(head.keep);
    held = head.value;
    return held;
  }

  function pagesOf(session: SessionOptions): ReadPages {
    const { read } = openSession({ ...options, keyOf }, session, {
      cache: runsOf(session.colo),
    });
    return async (pages) => {
      // The share of a filter's columns, as the search that follows needs the rest.
      const pieces = pages.map((page) => ({ file: "columns" as const, volume: 0, ...page }));
      return (await within(read(pieces), session.endsAt - now())) ?? pages.map(() => null);
    };
  }

  return {
    async embed(query, session) {
      const embedder = await embedderOf(session);
      const [made] = await embedder.embedPartly([query], pagesOf(session));
      if (made === undefined) throw new Error("an embedder gives one vector per text");
      // A direction without any of the words would rank by chance.
      if (made.missingWords > 0 && made.missingWords === made.words)
        throw noVector(`The rows of ${model} cannot be read`);
      return made;
    },
  };
}
