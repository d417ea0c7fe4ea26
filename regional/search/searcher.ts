/** Answers searches from a regional site's Qdrant cluster. */
import type { Model } from "@kattegat/config/models.ts";
import type { Network, Site } from "@kattegat/config/network.ts";
import { SEQUENCE_ZERO, compareSequences } from "@kattegat/protocol/sequence.ts";
import type {
  Candidate,
  HydrateRequest,
  HydrateResponse,
  PassageContent,
  SiteSearchRequest,
  SiteSearchResponse,
} from "@kattegat/protocol/site-search.ts";
import type { Watermark } from "../apply/watermark.ts";
import { passagePointId } from "../qdrant/point-id.ts";
import { DENSE, LEXICAL } from "../qdrant/schema.ts";
import type { Schema } from "../qdrant/schema.ts";
import { CANDIDATE_FIELDS, CONTENT_FIELDS, candidatesOf, contentsOf } from "./hit.ts";
import { searchableClasses } from "./permission.ts";
import type { QueryVector } from "./query-vector.ts";
import { denseQueryOf, lexicalQueryOf } from "./query-vector.ts";
import { siteFilterOf } from "./site-filter.ts";

/** A reader of its own write waits in steps of this; a batch takes about as long to apply. */
const WATERMARK_POLL_MS = 50;
/** Kept back from the deadline for the search itself. */
const SEARCH_MS_MIN = 100;
/** HNSW at this depth loses next to nothing at the sizes of one site. */
const SEARCH_PARAMS = { hnsw_ef: 256 };

export interface SearcherOptions {
  readonly network: Network;
  /** Of the vectors in this edition. */
  readonly model: Model;
  readonly site: Site;
  readonly schema: Schema;
  readonly watermark: Watermark;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export class Searcher {
  readonly #options: SearcherOptions;

  constructor(options: SearcherOptions) {
    this.#options = options;
  }

  /**
   * Answers a search for the model of this edition.
   *
   * @throws {KattegatError} `unavailable` or `timeout` when Qdrant does not answer in time.
   */
  async search(request: SiteSearchRequest): Promise<Omit<SiteSearchResponse, "ready">> {
    const { site, watermark, now } = this.#options;
    const endsAt = now() + request.deadline_ms;
    const { model, dimensions } = this.#options.model;
    const dense = request.dense === null ? null : denseQueryOf(request.dense, dimensions);
    const lexical = request.lexical === null ? null : lexicalQueryOf(request.lexical);
    const classes = searchableClasses(this.#options, request);
    const isStale = await this.#isStale(request.min_sequence, endsAt);
    const isAsked = request.tiers.includes("warm") && classes.length > 0;
    const find = (query: QueryVector | null, using: string): Promise<Candidate[]> =>
      query === null || !isAsked
        ? Promise.resolve([])
        : this.#find(query, { using, request, classes, endsAt });
    const lists = await Promise.all([find(dense, DENSE), find(lexical, LEXICAL)]);
    const [denseList, lexicalList] = await this.#hydrated(lists, {
      hydrated: request.hydrated,
      classes,
      endsAt,
    });
    const position = watermark.known?.watermark;
    const sequence = position?.sequence ?? SEQUENCE_ZERO;
    return {
      site: site.id,
      model,
      epoch: position?.epoch ?? 0,
      tiers: request.tiers.includes("warm")
        ? [{ tier: "warm", status: isStale ? "stale" : "ok", watermark: sequence, lag_ms: watermark.lagMs() }]
        : [],
      dense: denseList,
      lexical: lexicalList,
    };
  }

  /** Contents in the order asked; null where the passage is gone or of a class that was not asked for. */
  async passages({ zone, classes: asked, passages }: HydrateRequest): Promise<HydrateResponse> {
    const classes = searchableClasses(this.#options, { zone, classes: asked });
    const ids = passages.map(({ document_id, ordinal }) => passagePointId(document_id, ordinal));
    const contents = await this.#contents(ids, classes);
    return { passages: ids.map((id) => contents.get(id) ?? null) };
  }

  async #isStale(minSequence: string | null, endsAt: number): Promise<boolean> {
    const { watermark, now, sleep } = this.#options;
    if (minSequence === null && watermark.known !== null) return false;
    for (;;) {
      const { sequence } = (await watermark.read(Math.max(1, endsAt - now()))).watermark;
      if (minSequence === null || compareSequences(sequence, minSequence) >= 0) return false;
      if (endsAt - now() < SEARCH_MS_MIN + WATERMARK_POLL_MS) return true;
      await sleep(WATERMARK_POLL_MS);
    }
  }

  #find(
    query: QueryVector,
    {
      using,
      request,
      classes,
      endsAt,
    }: {
      readonly using: string;
      readonly request: SiteSearchRequest;
      readonly classes: readonly string[];
      readonly endsAt: number;
    },
  ): Promise<Candidate[]> {
    // An empty sparse vector meets nothing, which Qdrant would refuse to look for.
    if (!Array.isArray(query) && query.indices.length === 0) return Promise.resolve([]);
    const common = {
      query,
      using,
      filter: siteFilterOf({ ...request, classes }),
      limit: request.candidates,
      with_payload: CANDIDATE_FIELDS,
      params: SEARCH_PARAMS,
    };
    return this.#options.schema.run(async (client, { passages }) => {
      if (request.group_by === "passage")
        return candidatesOf((await client.query(passages, common)).points, classes);
      const { groups } = await client.queryGroups(passages, {
        ...common,
        group_by: "document_id",
        group_size: 1,
      });
      return candidatesOf(
        groups.flatMap(({ hits }) => hits),
        classes,
      );
    }, this.#leftMs(endsAt));
  }

  async #hydrated(
    [dense, lexical]: readonly [Candidate[], Candidate[]],
    {
      hydrated,
      classes,
      endsAt,
    }: { readonly hydrated: number; readonly classes: readonly string[]; readonly endsAt: number },
  ): Promise<readonly [Candidate[], Candidate[]]> {
    const idOf = ({ document_id, ordinal }: Candidate): string => passagePointId(document_id, ordinal);
    const ids = new Set([...dense.slice(0, hydrated), ...lexical.slice(0, hydrated)].map(idOf));
    if (ids.size === 0) return [dense, lexical];
    const contents = await this.#contents([...ids], classes, this.#leftMs(endsAt));
    const fill = (list: Candidate[]): Candidate[] =>
      list.map((candidate, place) => {
        const content = place < hydrated ? contents.get(idOf(candidate)) : undefined;
        return content === undefined ? candidate : { ...candidate, content };
      });
    return [fill(dense), fill(lexical)];
  }

  async #contents(
    ids: readonly string[],
    classes: readonly string[],
    withinMs?: number,
  ): Promise<ReadonlyMap<string, PassageContent>> {
    if (ids.length === 0 || classes.length === 0) return new Map();
    const points = await this.#options.schema.run(
      (client, { passages }) =>
        client.retrieve(passages, { ids: [...ids], with_payload: ["residency", ...CONTENT_FIELDS] }),
      withinMs,
    );
    return contentsOf(points, classes);
  }

  #leftMs(endsAt: number): number {
    return Math.max(1, endsAt - this.#options.now());
  }
}
