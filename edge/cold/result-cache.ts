/** The candidate lists that this Cloudflare location computed before. */
import type { Cached } from "@kattegat/engine/cold/manifest-shape.ts";
import { cacheSeconds } from "@kattegat/engine/cold/removal.ts";
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import { sha256Hex } from "../http/authentication.ts";
import { createBlockCache } from "./block-cache.ts";
import { coldListsSchema, type ColdLists } from "./cold-candidates.ts";
import type { ColdQuery } from "./cold-query.ts";
import type { Subrequests } from "./subrequests.ts";

/** Lists as objects take about twice their JSON. */
const OBJECT_BYTES_PER_CHARACTER = 2;

export interface ResultCache {
  get(key: string, session: ResultSession): Promise<ColdLists | null>;
  /** @param objects - what the lists were found in. */
  put(
    key: string,
    lists: ColdLists,
    session: ResultSession & { readonly objects: readonly Cached[] },
  ): Promise<void>;
}

/** The search that asks. */
export interface ResultSession {
  readonly colo: string;
  readonly subrequests: Subrequests;
}

/** The part of the Workers cache that is used. */
export interface CacheLike {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

export interface ResultCacheOptions {
  readonly open: (colo: string) => Promise<CacheLike>;
  /** Bounds what the isolate keeps beside the location's cache: it spares a question asked again the cache's answer and its parsing. */
  readonly memoryBytesMax: number;
  /** Entries are keyed by content, so this bounds only how long a dead one rests. */
  readonly secondsMax: number;
  readonly now: () => number;
}

interface Kept {
  readonly lists: ColdLists;
  readonly untilMs: number;
  readonly byteLength: number;
}

export function createResultCache({
  open,
  memoryBytesMax,
  secondsMax,
  now,
}: ResultCacheOptions): ResultCache {
  const memory = createBlockCache<Kept>({ bytesMax: memoryBytesMax });
  const keep = (colo: string, key: string, lists: ColdLists, characters: number): void =>
    memory.set(`${colo}/${key}`, {
      lists,
      untilMs: now() + secondsMax * 1_000,
      byteLength: characters * OBJECT_BYTES_PER_CHARACTER,
    });
  return {
    async get(key, { colo, subrequests }) {
      const kept = memory.get(`${colo}/${key}`);
      if (kept !== undefined && kept.untilMs > now()) return kept.lists;
      if (!subrequests.take()) return null;
      const response = await (await open(colo)).match(urlOf(key));
      if (response === undefined) return null;
      const text = await response.text();
      const result = coldListsSchema.safeParse(JSON.parse(text));
      if (!result.success) return null;
      keep(colo, key, result.data, text.length);
      return result.data;
    },
    async put(key, lists, { colo, subrequests, objects }) {
      const text = JSON.stringify(lists);
      keep(colo, key, lists, text.length);
      if (!subrequests.take()) return;
      const age = cacheSeconds(objects, secondsMax);
      const headers = { "content-type": "application/json", "cache-control": `max-age=${age}` };
      await (await open(colo)).put(urlOf(key), new Response(text, { headers }));
    },
  };
}

/** A name that tells nothing of the query: a digest of the site's content with all that the lists depend on. */
export async function resultKey(site: string, contentKey: string, query: ColdQuery): Promise<string> {
  const digest = await sha256Hex(
    JSON.stringify([
      contentKey,
      query.dense === null ? null : encodeFloats(query.dense),
      query.lexical === null
        ? null
        : [encodeIntegers(query.lexical.indices), encodeFloats(query.lexical.values)],
      query.filter,
      query.collection,
      [...query.classes].toSorted(),
      query.depth,
      query.page,
      query.grouped,
    ]),
  );
  return `${site}/${digest}`;
}

function urlOf(key: string): string {
  return `https://cold-results.invalid/${key}`;
}
