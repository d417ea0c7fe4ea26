/** The texts of the passages that are shown. */
import type { SitedCandidate } from "@kattegat/protocol/fuse.ts";
import {
  HYDRATE_MAX,
  hydrateResponseSchema,
  type HydrateRequest,
  type PassageContent,
} from "@kattegat/protocol/site-search.ts";
import type { ColdPlace } from "../cold/cold-candidates.ts";
import type { ColdTier } from "../cold/cold-tier.ts";
import type { SessionOptions } from "../cold/piece-reader.ts";
import type { RequestContext, SiteClient } from "../sites/site-client.ts";
import { within } from "./deadline.ts";
import { passageKey } from "./outcome.ts";

/** Null where the passage is gone. A site that could not give all that was asked is named in `silent`, what is unknown of it is missing. */
export interface Contents {
  readonly known: Map<string, PassageContent | null>;
  readonly silent: Set<string>;
}

export interface ContentSources {
  readonly sites: SiteClient;
  readonly cold: ColdTier;
  /** Of the copies that were searched. */
  readonly model: string;
  readonly zone: string;
  readonly classes: readonly string[];
  readonly context: RequestContext;
  readonly signal: AbortSignal;
  readonly timeMs: number;
  readonly session: SessionOptions;
}

/** Fills `contents` with what the passages still lack: one round per site, all at once. */
export async function fetchContents(
  contents: Contents,
  passages: readonly SitedCandidate[],
  places: ReadonlyMap<string, ColdPlace>,
  sources: ContentSources,
): Promise<void> {
  const missing = Map.groupBy(
    passages.filter(
      (passage) => !contents.known.has(passageKey(passage)) && !contents.silent.has(passage.site),
    ),
    ({ site }) => site,
  );
  await Promise.all(
    [...missing].map(async ([site, wanted]) => {
      const asked = wanted.slice(0, HYDRATE_MAX);
      const found = await readFrom(site, asked, places, sources).catch(() => null);
      if (found === null) {
        contents.silent.add(site);
        return;
      }
      for (const [index, passage] of asked.entries()) {
        const content = found[index];
        if (content === undefined) contents.silent.add(site);
        else contents.known.set(passageKey(passage), content);
      }
    }),
  );
}

async function readFrom(
  site: string,
  wanted: readonly SitedCandidate[],
  places: ReadonlyMap<string, ColdPlace>,
  sources: ContentSources,
): Promise<readonly (PassageContent | null | undefined)[] | null> {
  if (sources.cold.sites.includes(site)) {
    return within(
      sources.cold.read(
        site,
        wanted.map((passage) => places.get(passageKey(passage)) ?? null),
        sources.session,
      ),
      sources.timeMs,
    );
  }
  const body: HydrateRequest = {
    model: sources.model,
    zone: sources.zone,
    classes: [...sources.classes],
    passages: wanted.map(({ document_id, ordinal }) => ({ document_id, ordinal })),
  };
  const answer = await sources.sites.ask(site, hydrateResponseSchema, {
    method: "POST",
    path: "/internal/passages",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    signal: AbortSignal.any([sources.signal, AbortSignal.timeout(Math.max(1, sources.timeMs))]),
    context: sources.context,
  });
  return answer.passages;
}
