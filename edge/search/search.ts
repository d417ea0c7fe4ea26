/** One search from a checked request to the answer. */
import { servedClasses } from "@kattegat/config/residency.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SearchRequest, SearchResponse } from "@kattegat/protocol/search.ts";
import { answerBy, type Asked, type SearchOptions, type SearchParts } from "./answer.ts";
import { planSearch } from "./plan.ts";

/** With less the same search by another model would not end in time. */
const AGAIN_MS_MIN = 100;

export interface Answer {
  readonly response: SearchResponse;
  /** Base URL of the zone that would serve what this one may not carry. */
  readonly alternate: string | null;
}

/** @throws {KattegatError} for a query that cannot be prepared; what sites do never throws, it is reported. */
export async function search(
  parts: SearchParts,
  request: SearchRequest,
  options: SearchOptions,
): Promise<Answer> {
  const { settings } = parts;
  const startedAt = parts.now();
  const { served, notServed } = servedClasses(settings.network, {
    zone: settings.zone,
    callerCountry: options.caller.country,
  });
  const plan = planSearch(settings.network, {
    tiers: request.tiers,
    served,
    buckets: parts.serving.cold.sites,
    callerLocation: options.caller.location,
    edgeSite: settings.site,
  });
  const withheld = notServed.map(({ className }) => className);
  const asked: Asked = { request, plan, served, withheld, startedAt };
  const response =
    (await answerByNext(parts, asked, options)) ?? (await answerBy(parts.serving, parts, asked, options));
  const zone = notServed.find(({ alternateZone }) => alternateZone !== undefined)?.alternateZone;
  return { response, alternate: zone === undefined ? null : (settings.alternates.get(zone) ?? null) };
}

/**
 * Null when the model to come is not to be asked for, or did not answer in full: the one that serves may.
 *
 * A vector that the caller made is one of the model that serves.
 */
async function answerByNext(
  parts: SearchParts,
  asked: Asked,
  options: SearchOptions,
): Promise<SearchResponse | null> {
  const { next, choice } = parts;
  const { request, plan, startedAt } = asked;
  if (next === null || (request.vector ?? null) !== null) return null;
  if (!choice.isNextReady(plan)) {
    for (const { kind, site } of plan.asks)
      if (kind === "cold")
        options.defer(
          next.cold
            .index(site)
            ?.manifests.read()
            .catch(() => null) ?? Promise.resolve(),
        );
    return null;
  }
  const response = await answerBy(next, parts, asked, options).catch((error: unknown) => {
    if (error instanceof KattegatError) return null;
    throw error;
  });
  if (response?.partial === false) return response;
  choice.failed(response?.tiers ?? []);
  const leftMs = startedAt + request.timeout_ms - parts.now();
  return leftMs < AGAIN_MS_MIN ? response : null;
}
