/** The digests of what an edition's collection holds, by a scrub that reads it over and over. */
import { copyDigest, keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import {
  decodeKey,
  encodeDigests,
  encodeKey,
  encodeLines,
  type CopiesResponse,
  type FoundCopy,
  type LinesResponse,
  type Ranges,
  type RangesResponse,
} from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { QdrantClient } from "@qdrant/js-client-rest";
import type { Outcome } from "../apply/plan.ts";
import type { Watermark } from "../apply/watermark.ts";
import { passagePointId } from "../qdrant/point-id.ts";
import type { Schema } from "../qdrant/schema.ts";
import { ObservedCopies } from "./observed-copies.ts";
import { observed, pointName, pointNumber, readPoint, type StoredPoint } from "./point-reading.ts";

/** Points with their vectors: a megabyte or two of JSON, which Qdrant answers in some tens of milliseconds. */
const PAGE_POINTS = 200;
/** Documents that are read together; the passages of one are 20,000 at most, half a minute's reading. */
const GROUP_DOCUMENTS = 16;
/** Half a second of one answer, but for what its last group has beyond it. */
const ANSWER_POINTS_MAX = 2_000;

type Scroll = Parameters<QdrantClient["scroll"]>[1];
type Offset = NonNullable<NonNullable<Scroll>["offset"]>;

export class SiteDigests {
  readonly #schema: Pick<Schema, "run">;
  readonly #watermark: Pick<Watermark, "read">;
  readonly #copies = new ObservedCopies();
  /** Where the pass goes on. */
  #offset: Offset | null = null;

  constructor(options: {
    readonly schema: Pick<Schema, "run">;
    readonly watermark: Pick<Watermark, "read">;
  }) {
    this.#schema = options.schema;
    this.#watermark = options.watermark;
  }

  get passes(): number {
    return this.#copies.passes;
  }

  /** Takes in what the applier has stored. */
  stored(outcomes: readonly Outcome[]): void {
    for (const { documentId, document, holding } of outcomes) {
      const point = pointNumber(passagePointId(documentId, 1));
      const { digest, passages } = holding;
      const now =
        document === null
          ? null
          : copyDigest({
              documentId,
              version: document.version,
              residency: document.residency,
              digest,
              passages,
            });
      this.#copies.tell(keyOf(documentId), now, point);
    }
  }

  /** Reads the next page; a failure begins the pass anew. */
  async scrub(): Promise<{ readonly count: number; readonly isPassOver: boolean }> {
    try {
      const { points, next } = await this.#page(this.#offset === null ? {} : { offset: this.#offset });
      for (const point of points) this.#copies.gather(observed(point));
      this.#offset = next;
      if (next === null) this.#copies.endPass();
      return { count: points.length, isPassOver: next === null };
    } catch (error) {
      this.#offset = null;
      this.#copies.restartPass();
      throw error;
    }
  }

  /** @throws {KattegatError} `not_ready` before the first pass has ended. */
  async ranges({ depth, indexes }: Ranges): Promise<RangesResponse> {
    const position = await this.#position();
    const digests = encodeDigests(indexes.map((index) => this.#copies.tree.at(depth, index).sum));
    return { position, documents: this.#copies.tree.documents, digests };
  }

  /** @throws {KattegatError} `not_ready` before the first pass has ended. */
  async lines({ depth, indexes }: Ranges): Promise<LinesResponse> {
    const position = await this.#position();
    return { position, lines: encodeLines(this.#copies.linesIn(depth, indexes)) };
  }

  /** Reads copies from the store, whatever the scrub has seen of them, page by page: of a page only what it says of copies is kept. */
  async copies(asked: {
    readonly keys: readonly string[];
    readonly documents: readonly string[];
  }): Promise<CopiesResponse> {
    // Before the store: what is found then is at least so new.
    const position = (await this.#watermark.read()).watermark;
    const copies = new Map<string, FoundCopy>();
    const named = await this.#named(asked.keys);
    for (const point of named.nameless) fold(copies, point);
    const documents = new Map(asked.documents.map((id) => [id, encodeKey(keyOf(id))]));
    for (const [id, key] of named.documents) documents.set(id, key);
    const groups = [...documents.keys()];
    let points = 0;
    while (groups.length > 0 && points < ANSWER_POINTS_MAX) {
      const group = groups.splice(0, GROUP_DOCUMENTS);
      const filter = { must: [{ key: "document_id", match: { any: group } }] };
      for (let offset: Offset | null = null; ;) {
        const page = await this.#page({ filter, ...(offset === null ? {} : { offset }) });
        points += page.points.length;
        for (const point of page.points) fold(copies, point);
        if (page.next === null) break;
        offset = page.next;
      }
    }
    const left = groups.map((id) => documents.get(id) ?? encodeKey(keyOf(id)));
    return { position, copies: [...copies.values()], left: [...new Set(left)], next: null };
  }

  async #position(): Promise<RangesResponse["position"]> {
    if (this.#copies.passes === 0)
      throw new KattegatError(
        "not_ready",
        `The site's copies are being read for the first time; ${this.#copies.documents} documents so far.`,
        { retryAfterSeconds: 10 },
      );
    return (await this.#watermark.read()).watermark;
  }

  /** The documents behind the keys, each with the one that it was found by, and points that name none. */
  async #named(keys: readonly string[]): Promise<{
    readonly documents: readonly (readonly [string, string])[];
    readonly nameless: readonly StoredPoint[];
  }> {
    const keyOfPoint = new Map<string, string>();
    const ids: (string | number)[] = [];
    for (const key of keys) {
      const point = this.#copies.pointOf(decodeKey(key));
      if (point === null) continue;
      ids.push(pointName(point));
      keyOfPoint.set(String(pointName(point)), key);
    }
    if (ids.length === 0) return { documents: [], nameless: [] };
    const found: readonly StoredPoint[] = await this.#schema.run((client, { passages }) =>
      client.retrieve(passages, { ids, with_payload: true, with_vector: true }),
    );
    const isNamed = ({ payload }: StoredPoint): boolean => typeof payload?.["document_id"] === "string";
    return {
      documents: found.filter(isNamed).map((point) => {
        const { documentId } = readPoint(point);
        return [documentId, keyOfPoint.get(String(point.id)) ?? encodeKey(keyOf(documentId))];
      }),
      nameless: found.filter((point) => !isNamed(point)),
    };
  }

  async #page(
    options: NonNullable<Scroll>,
  ): Promise<{ readonly points: readonly StoredPoint[]; readonly next: Offset | null }> {
    const page = await this.#schema.run((client, { passages }) =>
      client.scroll(passages, { limit: PAGE_POINTS, with_payload: true, with_vector: true, ...options }),
    );
    const next = page.next_page_offset;
    return {
      points: page.points,
      next: typeof next === "string" || typeof next === "number" ? next : null,
    };
  }
}

/** One copy for each document, version and class that points name. */
function fold(copies: Map<string, FoundCopy>, point: StoredPoint): void {
  const { documentId, version, residency, content, isSound } = readPoint(point);
  const key = JSON.stringify([documentId, version, residency]);
  const before = copies.get(key);
  copies.set(key, {
    document_id: documentId,
    version,
    class: residency,
    digest: before?.digest ?? content?.digest ?? null,
    passages: (before?.passages ?? 0) + (isSound ? 1 : 0),
    damaged: (before?.damaged ?? 0) + (isSound ? 0 : 1),
  });
}
