/** Answers a search of the tiers that this site holds. */
import type { Network } from "@kattegat/config/network.ts";
import { mayPass } from "@kattegat/config/residency.ts";
import { compareCodeUnits } from "@kattegat/engine/index/ranking.ts";
import type { ScoredPoint } from "@kattegat/engine/index/passage-index.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import { decodeFloats, decodeIntegers } from "@kattegat/protocol/base64.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { mapFilterKeys } from "@kattegat/protocol/filter-keys.ts";
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import type {
  Candidate,
  HydrateRequest,
  HydrateResponse,
  SiteSearchRequest,
  SiteSearchResponse,
} from "@kattegat/protocol/site-search.ts";
import type { BaseFinding, LiveBase } from "../cold/live-base.ts";
import { tierNameOf } from "../documents/state.ts";
import type { AppliedLog } from "../log/head.ts";
import type { PassageContents } from "./contents.ts";
import type { HotIndex } from "./hot-index.ts";

/** A share of the deadline is kept for the search itself after waiting for a sequence. */
const WAIT_SHARE = 0.8;

/** The copies of one model that may be searched. */
export interface Searchable {
  readonly model: string;
  readonly dimensions: number;
  readonly index: HotIndex;
}

export interface SearchOptions {
  readonly network: Network;
  readonly site: string;
  /** The model that serves, and the one to come once it is whole here. */
  readonly searchable: () => readonly Searchable[];
  readonly log: AppliedLog;
  readonly contents: PassageContents;
}

/** @throws {KattegatError} `bad_vector` when the vectors do not fit the model. */
export async function searchSite(
  request: SiteSearchRequest,
  options: SearchOptions,
  signal?: AbortSignal,
): Promise<SiteSearchResponse> {
  const asked = options.searchable().find(({ model }) => model === request.model);
  if (asked === undefined) return lackingModel(options);
  const query = queryOf(request, asked);
  const isFresh =
    request.min_sequence === null ||
    (await options.log.waitFor(request.min_sequence, {
      timeoutMs: request.deadline_ms * WAIT_SHARE,
      ...(signal === undefined ? {} : { signal }),
    }));
  // Both parts are asked in one turn, so that no change comes between them.
  const searchable = options.searchable();
  const held = searchable.find(({ model }) => model === request.model)?.index;
  // It was whole when the question came, and may have been lost while a sequence was waited for.
  if (held === undefined) return lackingModel(options);
  const { fence } = options.log.head;
  const fromBase = searchBase(request, { query, base: held.base, network: options.network });
  const fromMemory = searchMemory(request, { query, held, network: options.network });
  const { dense, lexical, missing } = await fromBase;
  const lists = [merged(fromMemory.dense, dense, request), merged(fromMemory.lexical, lexical, request)];
  const hydrated = await hydrate(lists, request.hydrated, options.contents);
  return {
    site: options.site,
    model: request.model,
    ready: searchable.map(({ model }) => model),
    epoch: fence.epoch,
    tiers: request.tiers.map((tier) => ({
      tier,
      status: missing > 0 && tier === "cold" ? "unavailable" : isFresh ? "ok" : "stale",
      watermark: fence.sequence,
      lag_ms: 0,
    })),
    dense: hydrated[0] ?? [],
    lexical: hydrated[1] ?? [],
  };
}

/** Vectors of two models never meet (I18): whoever asked for one that is not whole here asks again for another. */
function lackingModel({ site, searchable, log }: SearchOptions): SiteSearchResponse {
  const ready = searchable().map(({ model }) => model);
  return { site, model: null, ready, epoch: log.head.fence.epoch, tiers: [], dense: [], lexical: [] };
}

type Lists = Pick<BaseFinding, "dense" | "lexical">;

function searchMemory(
  request: SiteSearchRequest,
  { query, held, network }: { readonly query: Query; readonly held: HotIndex; readonly network: Network },
): Lists {
  const { index } = held;
  const filter = filterOf(request, network);
  const search = { limit: request.candidates, filter, grouped: request.group_by === "document" };
  return {
    dense: query.dense === null ? [] : index.searchDense(query.dense, search).map(candidateOf),
    lexical: query.lexical === null ? [] : index.searchSparse(query.lexical, search).map(candidateOf),
  };
}

async function searchBase(
  request: SiteSearchRequest,
  {
    query,
    base,
    network,
  }: { readonly query: Query; readonly base: LiveBase | null; readonly network: Network },
): Promise<BaseFinding> {
  if (base === null || !request.tiers.includes("cold")) return { dense: [], lexical: [], missing: 0 };
  return await base.search({
    ...query,
    filter: request.filter,
    collection: request.collection,
    classes: permittedClasses(request, network),
    limit: request.candidates,
    grouped: request.group_by === "document",
  });
}

/** A document is in one of the two, so none comes twice. */
function merged(
  memory: readonly Candidate[],
  base: readonly Candidate[],
  { candidates }: SiteSearchRequest,
): Candidate[] {
  return [...memory, ...base]
    .toSorted(
      (left, right) =>
        right.score - left.score ||
        compareCodeUnits(left.document_id, right.document_id) ||
        left.ordinal - right.ordinal,
    )
    .slice(0, candidates);
}

/** Contents of passages, null where they are gone or of a class that may not be served here. */
export async function hydratePassages(
  request: HydrateRequest,
  options: SearchOptions,
): Promise<HydrateResponse> {
  const found = await options.contents.read(request.passages);
  const permitted = new Set(permittedClasses(request, options.network));
  return {
    passages: found.map((passage) =>
      passage !== null && permitted.has(passage.residency) ? passage.content : null,
    ),
  };
}

function permittedClasses(
  { classes, zone }: { readonly classes: readonly string[]; readonly zone: string },
  network: Network,
): string[] {
  return classes.filter((name) => mayPass(network, name, zone));
}

function filterOf(request: SiteSearchRequest, network: Network): Filter {
  const must: Condition[] = [
    { key: "residency", match: { any: permittedClasses(request, network) } },
    { key: "collection", match: { value: request.collection } },
    { key: "tier", match: { any: [...request.tiers] } },
  ];
  if (request.filter !== null) must.push(mapFilterKeys(request.filter));
  return { must };
}

interface Query {
  readonly dense: Float32Array | null;
  readonly lexical: SparseVector | null;
}

function queryOf(request: SiteSearchRequest, { dimensions }: Searchable): Query {
  try {
    const dense = request.dense === null ? null : decodeFloats(request.dense);
    const lexical =
      request.lexical === null
        ? null
        : { indices: decodeIntegers(request.lexical.indices), values: decodeFloats(request.lexical.values) };
    if (dense !== null && (dense.length !== dimensions || !dense.every(Number.isFinite)))
      throw new RangeError(`expected ${dimensions} finite numbers`);
    if (lexical !== null && !isSparse(lexical))
      throw new RangeError("expected ascending term ids with one finite weight each");
    return { dense, lexical };
  } catch (cause) {
    throw new KattegatError(
      "bad_vector",
      `The query's vector is not valid: ${cause instanceof Error ? cause.message : "it does not decode"}.`,
      { cause },
    );
  }
}

function isSparse({ indices, values }: SparseVector): boolean {
  return (
    indices.length === values.length &&
    values.every(Number.isFinite) &&
    indices.every((id, index) => index === 0 || id > (indices[index - 1] ?? 0))
  );
}

function candidateOf({ id, group, score, payload }: ScoredPoint): Candidate {
  return {
    document_id: group,
    ordinal: Number(id.slice(group.length + 1)),
    score,
    tier: tierNameOf(payload["tier"]),
    version: String(payload["version"]),
    residency: String(payload["residency"]),
  };
}

/** A content of another version than the one that was scored is left out; the edge then asks for the new one. */
async function hydrate(
  lists: readonly Candidate[][],
  depth: number,
  contents: PassageContents,
): Promise<Candidate[][]> {
  const wanted = new Map<string, Candidate>();
  for (const list of lists)
    for (const candidate of list.slice(0, depth))
      wanted.set(`${candidate.document_id}#${candidate.ordinal}`, candidate);
  const keys = [...wanted.keys()];
  const found = await contents.read([...wanted.values()]);
  const byKey = new Map(keys.map((key, index) => [key, found[index] ?? null]));
  return lists.map((list) =>
    list.map((candidate, rank) => {
      const passage = rank < depth ? byKey.get(`${candidate.document_id}#${candidate.ordinal}`) : null;
      return passage !== null && passage !== undefined && passage.version === candidate.version
        ? { ...candidate, content: passage.content }
        : candidate;
    }),
  );
}
