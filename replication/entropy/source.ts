/** The two sides of a comparison, over HTTP. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import {
  decodeDigests,
  decodeLines,
  encodeKey,
  linesResponseSchema,
  plannedCopiesResponseSchema,
  rangesResponseSchema,
  repairsResponseSchema,
  type Comparison,
  type FoundCopy,
  type PlannedCopiesResponse,
  type Ranges,
  type RepairsRequest,
  type RepairsResponse,
} from "@kattegat/protocol/digests.ts";
import { changedResponseSchema } from "@kattegat/protocol/holdings.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type { z } from "zod";
import { readCopies, Scrubbing } from "./held-reading.ts";
import type { Metered } from "./meter.ts";
import { parseAnswer } from "../answer-json.ts";
import type { SiteClient } from "../site-client.ts";

/** A site reads a few hundred copies from its store for the longest of these answers. */
const ASK_MS_MAX = 30_000;

/** Either side of a comparison. */
export interface DigestSource {
  ranges(
    ranges: Ranges,
    signal: AbortSignal,
  ): Promise<{ readonly documents: number; readonly digests: readonly bigint[] }>;
  lines(ranges: Ranges, signal: AbortSignal): Promise<ReadonlyMap<bigint, bigint>>;
}

/** Copies that a round looks at. */
export interface AskedKeys {
  readonly keys: readonly string[];
  /** Ids of those that are planned there. */
  readonly documents: readonly string[];
}

/** A copy of a store that knows documents by the SHA-256 of their ids, in hexadecimal. */
export interface HashedCopy extends Omit<FoundCopy, "document_id"> {
  readonly document_sha256: string;
}

export interface HeldCopies {
  /** The site had come so far before they were read. */
  readonly position: Fence;
  readonly copies: readonly FoundCopy[];
  readonly hashed: readonly HashedCopy[];
}

/** What a site's store holds. */
export interface HeldSource extends DigestSource {
  readonly site: string;
  /** Reads a part of the store, where the site has to be told to; resolves with keys of documents whose copies look damaged. */
  scrub(signal: AbortSignal): Promise<readonly string[]>;
  copies(asked: AskedKeys, signal: AbortSignal): Promise<HeldCopies>;
}

/** The last change about a document. */
export interface LastChange extends Fence {
  readonly document_id: string;
}

/** What the primary plans at that site. */
export interface PlannedSource extends DigestSource {
  copies(keys: readonly string[], signal: AbortSignal): Promise<PlannedCopiesResponse>;
  /** Resolves with the ids of the keys' documents, planned there or not, deleted ones too. */
  names(keys: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  lastChanges(documents: readonly string[], signal: AbortSignal): Promise<readonly LastChange[]>;
}

/** What the primary does about it. */
export interface Repairer {
  repair(order: RepairsRequest, signal: AbortSignal): Promise<RepairsResponse>;
  report(site: string, comparison: Comparison, signal: AbortSignal): Promise<void>;
}

export function createHeldSource(
  client: SiteClient,
  { model, isTold, metered }: { readonly model: string; readonly isTold: boolean; readonly metered: Metered },
): HeldSource {
  const ask = asker(client, metered);
  const scrubbing = new Scrubbing(ask, model);
  return {
    site: client.site,
    ...digestsOf(ask, { model }),
    async scrub(signal) {
      if (!isTold) return [];
      return (await scrubbing.read(signal)).map((id) => encodeKey(keyOf(id)));
    },
    copies: async (asked, signal) => ({
      ...(await readCopies(ask, { model, ...asked }, signal)),
      hashed: [],
    }),
  };
}

export function createPlannedSource(client: SiteClient, target: string, metered: Metered): PlannedSource {
  const ask = asker(client, metered);
  return {
    ...digestsOf(ask, { target }),
    copies: (keys, signal) =>
      ask("/internal/digests/copies", { target, keys }, { schema: plannedCopiesResponseSchema, signal }),
    async names(keys, signal) {
      const body = { target, keys, others: true };
      const shape = { schema: plannedCopiesResponseSchema, signal };
      const { copies, others } = await ask("/internal/digests/copies", body, shape);
      return [...copies, ...others].map(({ document_id: id }) => id);
    },
    async lastChanges(documents, signal) {
      const shape = { schema: changedResponseSchema, signal };
      return (await ask("/internal/holdings:changed", { documents }, shape)).changes;
    },
  };
}

export function createRepairer(client: SiteClient): Repairer {
  const ask = asker(client, () => {});
  return {
    async repair(order, signal) {
      return await ask("/internal/digests/repairs", order, { schema: repairsResponseSchema, signal });
    },
    async report(site, comparison, signal) {
      const request = { ...requestOf({ site, comparison }), timeoutMs: ASK_MS_MAX, signal };
      await client.request("/internal/digests/report", request, (response) => response.arrayBuffer());
    },
  };
}

export type Ask = <T>(
  path: string,
  body: object,
  options: { readonly schema: z.ZodType<T>; readonly signal: AbortSignal },
) => Promise<T>;

function asker(client: SiteClient, metered: Metered): Ask {
  return async (path, body, { schema, signal }) => {
    const request = { ...requestOf(body), timeoutMs: ASK_MS_MAX, signal };
    metered(request.body.length);
    const bytes = await client.request(path, request, (response) => response.arrayBuffer());
    metered(bytes.byteLength);
    const answer = parseAnswer(bytes);
    return parseShape(schema, answer, "internal");
  };
}

function requestOf(body: object) {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) } as const;
}

function digestsOf(ask: Ask, whose: { readonly model: string } | { readonly target: string }): DigestSource {
  return {
    async ranges(ranges, signal) {
      const shape = { schema: rangesResponseSchema, signal };
      const { digests, ...told } = await ask("/internal/digests/ranges", { ...whose, ...ranges }, shape);
      return { ...told, digests: decodeDigests(digests) };
    },
    async lines(ranges, signal) {
      const shape = { schema: linesResponseSchema, signal };
      return decodeLines((await ask("/internal/digests/lines", { ...whose, ...ranges }, shape)).lines);
    },
  };
}
