/** The cold index in one bucket. */
import type { Model } from "@kattegat/config/models.ts";
import type { ColdHit, ColdSearchOptions, ColdSegment } from "@kattegat/engine/cold/segment.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { compareCandidates } from "@kattegat/protocol/fuse.ts";
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import type { ManifestBase, ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import { readFromBase, searchOpenBase } from "./base-search.ts";
import type { BaseShelf } from "./base-shelf.ts";
import type { ColdCandidate, ColdLists, ColdPlace } from "./cold-candidates.ts";
import type { ColdFinding, ColdQuery } from "./cold-query.ts";
import { filterOf } from "@kattegat/engine/cold/cold-filter.ts";
import { createManifestReader, type ManifestReader, type ManifestState } from "./manifest-reader.ts";
import { NoSubrequestLeft, unboundLimits, type Attempt } from "./bucket-attempt.ts";
import type { SessionOptions } from "./piece-reader.ts";
import { createServing, type Serving } from "./serving.ts";
import { createSegmentShelf } from "./segment-shelf.ts";
import { createTextShelf } from "./text-shelf.ts";
import type { Warmer } from "../warming/warmer.ts";

export interface ColdIndex {
  readonly site: string;
  /** Of the vectors in it. */
  readonly model: Model;
  readonly bucket: R2Bucket;
  readonly manifests: ManifestReader;
  /** Searches what came since the base was made, exactly. */
  searchTail(state: ManifestState, query: ColdQuery, session: SessionOptions): Promise<ColdFinding>;
  /** Searches the base; without one there is nothing to find. */
  searchBase(state: ManifestState, query: ColdQuery, session: SessionOptions): Promise<ColdFinding>;
  /** Counts what was asked of the base, whether or not its answer was kept from before. */
  countAsked(state: ManifestState, lists: readonly number[], session: SessionOptions): Promise<void>;
  /** Opens the state's base, if it has one, for a search that follows; reports what fails. */
  open(state: ManifestState, session: SessionOptions): Promise<void>;
  /** The state to answer from, `newest` as soon as its base is open. */
  readonly serving: Serving;
  /** Resolves with the texts in the order asked; null where there is none, undefined where it could not be read. */
  read(
    places: readonly (ColdPlace | null)[],
    options: { readonly state: ManifestState | null; readonly session: SessionOptions },
  ): Promise<(PassageContent | null | undefined)[]>;
  /**
   * Whether every passage of the segment is of one of the classes.
   *
   * @throws {ColdFormatError} when the segment cannot be read.
   */
  holdsOnly(segment: ManifestSegment, classes: readonly string[]): Promise<boolean>;
  /** The classes of the base's documents. @throws {ColdFormatError} when its root cannot be read. */
  classesOf(base: ManifestBase): Promise<readonly string[]>;
  residentBytes(): number;
}

export interface ColdIndexOptions {
  readonly site: string;
  readonly bucket: R2Bucket;
  readonly scanner: Scanner;
  readonly segmentBytesMax: number;
  readonly bases: BaseShelf;
  readonly warmer: Warmer;
  /** A manifest of another one is not searched. */
  readonly model: Model;
  readonly attempt: Attempt;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

const NOTHING: ColdFinding = {
  lists: { dense: [], lexical: [], probed: [] },
  failed: 0,
  leftOut: 0,
  reading: null,
};
/** Publishing reads a root once; nothing of it is kept for callers. */
const uncached = (): SessionOptions => ({ ...unboundLimits(), colo: "publication", defer: () => undefined });

// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function createColdIndex(options: ColdIndexOptions): ColdIndex {
  const { bases } = options;
  const shelf = createSegmentShelf({
    ...options,
    dimensions: options.model.dimensions,
    bytesMax: options.segmentBytesMax,
  });
  const texts = createTextShelf();
  let content = "";

  /** Texts of one object, which may be of the generation that was just replaced. */
  async function textsOf(
    key: string,
    {
      rows,
      state,
      session,
    }: {
      readonly rows: readonly number[];
      readonly state: ManifestState | null;
      readonly session: SessionOptions;
    },
  ): Promise<readonly (PassageContent | undefined)[]> {
    const { base = null, segments = [] } = state?.manifest ?? {};
    const open = bases.find(key) ?? (base?.key === key ? await bases.open(base, session) : null);
    if (open !== null) return readFromBase(open, rows, session);
    const entry = segments.find((segment) => segment.key === key);
    const segment = shelf.find(key) ?? (entry === undefined ? null : await shelf.open(entry, session));
    return segment === null ? [] : segment.hydrate(rows, shelf.reader(key, session));
  }

  return {
    site: options.site,
    model: options.model,
    bucket: options.bucket,
    manifests: createManifestReader(options.bucket, options),
    serving: createServing(options),
    residentBytes: () => shelf.residentBytes + options.bases.residentBytes,
    async holdsOnly(entry, classes) {
      const segment = await shelf.open(entry, unboundLimits());
      // Any direction will do: what counts is whether the filter leaves a passage.
      const direction = new Float32Array(segment.dimensions).fill(1 / Math.sqrt(segment.dimensions));
      const foreign = await segment.searchDense(direction, {
        limit: 1,
        filter: { must_not: [{ key: "residency", match: { any: [...classes] } }] },
        grouped: false,
        hidden: () => false,
      });
      return foreign.length === 0;
    },
    async open({ manifest: { base } }, session) {
      if (base !== null) await bases.open(base, session).catch(options.report);
    },
    async classesOf(base) {
      return (await options.bases.open(base, uncached())).base.documents.classes;
    },
    async searchTail(state, query, session) {
      if (state.contentKey !== content) {
        content = state.contentKey;
        shelf.keepOnly(new Set(state.manifest.segments.map(({ key }) => key)));
        texts.clear();
      }
      const search = { limit: query.depth, filter: filterOf(query), grouped: query.grouped };
      let leftOut = 0;
      const found = await Promise.all(
        state.manifest.segments.map(async (entry) => {
          const hidden = state.hidden.get(entry.key) ?? (() => false);
          try {
            const segment = await shelf.open(entry, session);
            return candidatesOf(await searchSegment(segment, query, { ...search, hidden }), entry);
          } catch (error) {
            if (error instanceof NoSubrequestLeft) leftOut += 1;
            else options.report(error);
            return null;
          }
        }),
      );
      const whole = found.filter((lists) => lists !== null);
      const failed = found.length - whole.length;
      return { lists: mergedLists(whole, query), failed, leftOut, reading: null };
    },
    async searchBase({ manifest, dead }, query, session) {
      if (manifest.base === null || dead === null) return NOTHING;
      try {
        const open = await options.bases.open(manifest.base, session);
        const { finding, contents } = await searchOpenBase(open, query, { dead, session });
        for (const [place, text] of contents) texts.set(place, text);
        return finding;
      } catch (error) {
        options.report(error);
        return { ...NOTHING, failed: 1, leftOut: error instanceof NoSubrequestLeft ? 1 : 0 };
      }
    },
    async countAsked({ manifest }, lists, session) {
      if (manifest.base === null) return;
      try {
        options.warmer.asked(await options.bases.open(manifest.base, session), lists, session);
      } catch (error) {
        options.report(error);
      }
    },
    async read(places, { state, session }) {
      const contents = new Array<PassageContent | null | undefined>(places.length).fill(null);
      const wanted = Map.groupBy(
        places.flatMap((place, index) => (place === null ? [] : [{ place, index }])),
        ({ place }) => place.segment,
      );
      await Promise.all(
        [...wanted].map(async ([key, entries]) => {
          const unknown = entries.filter(({ place, index }) => {
            const known = texts.get(place);
            if (known !== undefined) contents[index] = known;
            return known === undefined;
          });
          if (unknown.length === 0) return;
          const rows = unknown.map(({ place }) => place.row);
          const read = await textsOf(key, { rows, state, session }).catch((error: unknown) => {
            options.report(error);
            return [];
          });
          for (const [at, { place, index }] of unknown.entries()) {
            const text = read[at];
            contents[index] = text;
            if (text !== undefined) texts.set(place, text);
          }
        }),
      );
      return contents;
    },
  };
}

async function searchSegment(
  segment: ColdSegment,
  query: ColdQuery,
  search: ColdSearchOptions,
): Promise<{ dense: ColdHit[]; lexical: ColdHit[] }> {
  const [dense, lexical] = await Promise.all([
    query.dense === null ? [] : segment.searchDense(query.dense, search),
    query.lexical === null ? [] : segment.searchSparse(query.lexical, search),
  ]);
  return { dense, lexical };
}

function candidatesOf(
  hits: { dense: readonly ColdHit[]; lexical: readonly ColdHit[] },
  entry: { readonly key: string; readonly bytes: number },
): ColdLists {
  const candidateOf = (hit: ColdHit): ColdCandidate => ({
    document_id: hit.documentId,
    ordinal: hit.ordinal,
    score: hit.score,
    version: hit.version,
    residency: hit.residency,
    segment: entry.key,
    bytes: entry.bytes,
    row: hit.row,
    document: null,
    named: true,
  });
  return { dense: hits.dense.map(candidateOf), lexical: hits.lexical.map(candidateOf), probed: [] };
}

/** Returns the lists of several parts as one; a document is alive in one part only, so grouping within each is grouping over all. */
export function mergedLists(parts: readonly ColdLists[], query: ColdQuery): ColdLists {
  const merged = (lists: readonly (readonly ColdCandidate[])[]): ColdCandidate[] =>
    lists
      .flat()
      .filter(({ residency }) => query.classes.includes(residency))
      .toSorted(compareCandidates)
      .slice(0, query.depth);
  return {
    dense: merged(parts.map(({ dense }) => dense)),
    lexical: merged(parts.map(({ lexical }) => lexical)),
    probed: parts.flatMap(({ probed }) => probed),
  };
}
