/** The cold index in one bucket. */
import type { ColdHit, ColdSearchOptions, ColdSegment } from "@kattegat/engine/cold/segment.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";

import type { Filter } from "@kattegat/protocol/filter.ts";
import { compareCandidates } from "@kattegat/protocol/fuse.ts";
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import type { ColdCandidate, ColdLists, ColdPlace } from "./cold-candidates.ts";
import { coldFilterOf } from "./cold-filter.ts";
import { createManifestReader, type ManifestReader, type ManifestState } from "./manifest-reader.ts";
import { createSegmentShelf } from "./segment-shelf.ts";
import { createTextShelf } from "./text-shelf.ts";

export interface ColdQuery {
  readonly dense: Float32Array | null;
  readonly lexical: SparseVector | null;
  readonly filter: Filter | null;
  readonly collection: string;
  /** Residency classes to look among; all of them may rest in this bucket. */
  readonly classes: readonly string[];
  readonly depth: number;
  readonly grouped: boolean;
}

export interface ColdIndex {
  readonly site: string;
  readonly bucket: R2Bucket;
  readonly manifests: ManifestReader;
  /** `failed` counts segments that could not be read: their passages are missing from the lists. */
  search(
    state: ManifestState,
    query: ColdQuery,
  ): Promise<{ readonly lists: ColdLists; readonly failed: number }>;
  /** Resolves with the texts in the order asked; null where the object is gone. */
  read(places: readonly (ColdPlace | null)[]): Promise<(PassageContent | null)[]>;
  /**
   * Whether every passage of the segment is of one of the classes.
   *
   * @throws {ColdFormatError} when the segment cannot be read.
   */
  holdsOnly(
    segment: { readonly key: string; readonly bytes: number },
    classes: readonly string[],
  ): Promise<boolean>;
  residentBytes(): number;
}

export interface ColdIndexOptions {
  readonly site: string;
  readonly bucket: R2Bucket;
  readonly scanner: Scanner;
  readonly segmentBytesMax: number;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function createColdIndex(options: ColdIndexOptions): ColdIndex {
  const shelf = createSegmentShelf({
    bucket: options.bucket,
    scanner: options.scanner,
    bytesMax: options.segmentBytesMax,
  });
  const texts = createTextShelf();
  let content = "";

  return {
    site: options.site,
    bucket: options.bucket,
    manifests: createManifestReader(options.bucket, { now: options.now }),
    residentBytes: () => shelf.residentBytes,
    async holdsOnly(entry, classes) {
      const segment = await shelf.open(entry);
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
    async search(state, query) {
      if (state.contentKey !== content) {
        content = state.contentKey;
        shelf.keepOnly(new Set(state.manifest.segments.map(({ key }) => key)));
        texts.clear();
      }
      const search = { limit: query.depth, filter: filterOf(query), grouped: query.grouped };
      const found = await Promise.all(
        state.manifest.segments.map(async (entry) => {
          const hidden = state.hidden.get(entry.key) ?? (() => false);
          try {
            return await searchSegment(await shelf.open(entry), query, { ...search, hidden }).then((hits) =>
              candidatesOf(hits, entry),
            );
          } catch (error) {
            options.report(error);
            return null;
          }
        }),
      );
      const whole = found.filter((lists) => lists !== null);
      return {
        lists: {
          dense: merged(
            whole.map(({ dense }) => dense),
            query,
          ),
          lexical: merged(
            whole.map(({ lexical }) => lexical),
            query,
          ),
        },
        failed: found.length - whole.length,
      };
    },
    async read(places) {
      const contents = new Array<PassageContent | null>(places.length).fill(null);
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
          const [first] = unknown;
          if (first === undefined) return;
          const segment = await shelf.open({ key, bytes: first.place.bytes });
          const read = await segment.hydrate(unknown.map(({ place }) => place.row));
          for (const [at, { place, index }] of unknown.entries()) {
            const text = read[at];
            if (text === undefined) continue;
            contents[index] = text;
            texts.set(place, text);
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
  });
  return { dense: hits.dense.map(candidateOf), lexical: hits.lexical.map(candidateOf) };
}

/** A document is alive in one segment only, so grouping within each segment is grouping over all. */
function merged(
  lists: readonly (readonly ColdCandidate[])[],
  { depth, classes }: ColdQuery,
): ColdCandidate[] {
  return lists
    .flat()
    .filter(({ residency }) => classes.includes(residency))
    .toSorted(compareCandidates)
    .slice(0, depth);
}

function filterOf(query: ColdQuery): Filter {
  return {
    must: [
      { key: "collection", match: { value: query.collection } },
      { key: "residency", match: { any: [...query.classes] } },
      ...(query.filter === null ? [] : [coldFilterOf(query.filter)]),
    ],
  };
}
