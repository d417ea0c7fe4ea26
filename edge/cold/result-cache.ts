/** The candidate lists that this Cloudflare location computed before. */
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import { sha256Hex } from "../http/authentication.ts";
import { coldListsSchema, type ColdLists } from "./cold-candidates.ts";
import type { ColdQuery } from "./cold-query.ts";

/** Entries are keyed by content, so this bounds only how long a dead one takes room. */
const ENTRY_SECONDS_MAX = 300;

export interface ResultCache {
  get(colo: string, key: string): Promise<ColdLists | null>;
  put(colo: string, key: string, lists: ColdLists): Promise<void>;
}

/** The part of the Workers cache that is used. */
export interface CacheLike {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

export function createResultCache(open: (colo: string) => Promise<CacheLike>): ResultCache {
  return {
    async get(colo, key) {
      const response = await (await open(colo)).match(urlOf(key));
      if (response === undefined) return null;
      const result = coldListsSchema.safeParse(await response.json());
      return result.success ? result.data : null;
    },
    async put(colo, key, lists) {
      const headers = { "content-type": "application/json", "cache-control": `max-age=${ENTRY_SECONDS_MAX}` };
      await (await open(colo)).put(urlOf(key), new Response(JSON.stringify(lists), { headers }));
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
