/** The two sides of a comparison, over HTTP. */
import {
  decodeDigests,
  decodeLines,
  linesResponseSchema,
  plannedCopiesResponseSchema,
  rangesResponseSchema,
  repairsResponseSchema,
  type Comparison,
  type FoundCopy,
  type PlannedCopy,
  type Ranges,
  type RepairsRequest,
  type RepairsResponse,
} from "@kattegat/protocol/digests.ts";
import { changedResponseSchema } from "@kattegat/protocol/holdings.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type { z } from "zod";
import { readCopies, Scrubbing } from "./held-reading.ts";
import { parseAnswer } from "../answer-json.ts";
import type { SiteClient } from "../site-client.ts";

/** A site reads a few hundred copies from its store for the longest of these answers. */
const ASK_MS_MAX = 30_000;

/** Either side of a comparison. */
export interface DigestSource {
  ranges(
    ranges: Ranges,
    signal: AbortSignal,
  ): Promise<{
    readonly position: Fence;
    readonly documents: number;
    readonly digests: readonly bigint[];
  }>;
  lines(ranges: Ranges, signal: AbortSignal): Promise<ReadonlyMap<bigint, bigint>>;
}

/** What a site's store holds. */
export interface HeldSource extends DigestSource {
  readonly site: string;
  /** Reads a part of the store, where the site has to be told to; resolves with documents whose copies look damaged. */
  scrub(signal: AbortSignal): Promise<readonly string[]>;
  copies(
    asked: { readonly keys: readonly string[]; readonly documents: readonly string[] },
    signal: AbortSignal,
  ): Promise<{ readonly position: Fence; readonly copies: readonly FoundCopy[] }>;
}

/** The last change about a document. */
export interface LastChange extends Fence {
  readonly document_id: string;
}

/** What the primary plans at that site. */
export interface PlannedSource extends DigestSource {
  copies(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly position: Fence; readonly copies: readonly PlannedCopy[] }>;
  lastChanges(documents: readonly string[], signal: AbortSignal): Promise<readonly LastChange[]>;
}

/** What the primary does about it. */
export interface Repairer {
  repair(order: RepairsRequest, signal: AbortSignal): Promise<RepairsResponse>;
  report(site: string, comparison: Comparison, signal: AbortSignal): Promise<void>;
}

/** Hears the bytes of each body. */
export type Metered = (bytes: number) => void;

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
      return await scrubbing.read(signal);
    },
    copies: (asked, signal) => readCopies(ask, { model, ...asked }, signal),
  };
}

export function createPlannedSource(client: SiteClient, target: string, metered: Metered): PlannedSource {
  const ask = asker(client, metered);
  return {
    ...digestsOf(ask, { target }),
    copies: (keys, signal) =>
      ask("/internal/digests/copies", { target, keys }, { schema: plannedCopiesResponseSchema, signal }),
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
