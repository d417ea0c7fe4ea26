/** An edge's Worker with its bucket, in memory. */
import type { Network } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import {
  keysOf,
  parseManifest,
  type ColdManifest,
  type ManifestSegment,
} from "@kattegat/engine/cold/manifest.ts";
import { openSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences, FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import type { Answer, SiteRequest } from "@kattegat/replication/site-client.ts";
import { answerOf, type Copy, type Site } from "./site.ts";

const OBJECTS = "/internal/cold/objects/";

/** What the bucket holds; `text` is the manifest, which names itself as its ETag. */
interface Bucket {
  readonly text: string | null;
  readonly objects: ReadonlyMap<string, Uint8Array>;
}

const EMPTY: Bucket = { text: null, objects: new Map() };

/** The places at which an edge can be built wrongly. */
export interface EdgeSeams {
  /** Throws what the Worker answers to a manifest that may not follow. */
  readonly assertFollows: (before: ColdManifest | null, next: ColdManifest) => void;
  /** Whether the manifest is still the one that its publisher has seen. */
  readonly isCurrent: (current: string | null, seen: string | null) => boolean;
  readonly network: (network: Network) => Network;
}

export const EDGE_SEAMS: EdgeSeams = {
  assertFollows,
  isCurrent: (current, seen) => current === seen,
  network: (network) => network,
};

export interface EdgeOptions {
  readonly id: string;
  readonly network: Network;
  readonly scanner: Scanner;
  readonly seams: EdgeSeams;
}

export class EdgeSite implements Site {
  readonly kind = "edge";
  readonly id: string;
  readonly #options: EdgeOptions;
  #bucket: Bucket = EMPTY;
  #backup: Bucket | null = null;
  #manifest: ColdManifest | null = null;
  /** What each segment holds, by key: objects are never written twice. */
  readonly #passages = new Map<string, readonly ColdPassage[]>();
  stamp = 0;
  life = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.id = options.id;
  }

  get watermark(): Fence {
    return this.#manifest?.watermark ?? FENCE_ZERO;
  }

  copies(): ReadonlyMap<string, Copy> {
    const copies = new Map<string, Copy>();
    for (const { key, tombstones } of this.#manifest?.segments ?? []) {
      for (const { documentId, version, residency, text, ordinal } of this.#passages.get(key) ?? []) {
        if (tombstones.includes(documentId) || ordinal !== 1) continue;
        // Two copies in one generation would both be found.
        const isMixed = copies.has(documentId);
        copies.set(documentId, { documentId, version, residency, text, fence: null, isMixed });
      }
    }
    return copies;
  }

  damage(): string | null {
    if (this.#manifest === null) return null;
    const gone = keysOf(this.#manifest).find((key) => !this.#bucket.objects.has(key));
    return gone === undefined ? null : `the manifest names ${gone}, which is gone`;
  }

  async handle(path: string, request: SiteRequest): Promise<Answer> {
    if (path.startsWith(OBJECTS)) return this.#object(path.slice(OBJECTS.length), request);
    if (path.startsWith("/internal/watermark")) return answerOf({ watermark: this.watermark });
    if (path === "/internal/cold/editions") return answerOf({ editions: [] });
    if (!path.startsWith("/internal/cold/manifest")) throw new KattegatError("not_found", path);
    if (request.method === "PUT")
      return this.#publish(String(request.body), request.headers?.["if-match"] ?? null);
    const { text } = this.#bucket;
    if (text === null) throw new KattegatError("not_found", "No generation has been published yet.");
    return answerOf(null, { etag: text, bytes: new TextEncoder().encode(text) });
  }

  /** A Worker keeps nothing between requests. */
  restart(): void {}

  backup(): void {
    this.#backup = this.#bucket;
  }

  restore(): boolean {
    if (this.#backup === null || this.#backup.text === this.#bucket.text) return false;
    this.#replace(this.#backup);
    return true;
  }

  wipe(): void {
    this.#replace(EMPTY);
  }

  #replace(bucket: Bucket): void {
    this.#bucket = bucket;
    this.#manifest = bucket.text === null ? null : parseManifest(bucket.text);
    this.life += 1;
    this.stamp += 1;
  }

  async #publish(text: string, expected: string | null): Promise<Answer> {
    const next = parseManifest(text);
    const { assertFollows: assertNext, isCurrent } = this.#options.seams;
    const assertCurrent = (): void => {
      if (!isCurrent(this.#bucket.text, expected))
        throw new KattegatError("conflict", "Another manifest has been published.");
    };
    // An earlier reign is refused whatever its publisher has seen; one that lost a race has not gone backwards.
    assertNext(this.#manifest, {
      ...next,
      watermark: { ...next.watermark, sequence: this.watermark.sequence },
    });
    assertCurrent();
    assertNext(this.#manifest, next);
    const known = new Set(this.#manifest?.segments.map(({ key }) => key));
    for (const segment of next.segments) if (!known.has(segment.key)) await this.#assertLegal(segment);
    assertCurrent();
    this.#bucket = { ...this.#bucket, text };
    this.#manifest = next;
    this.stamp += 1;
    return answerOf(null, { etag: text });
  }

  /** The site checks what it is given with its own network file. */
  async #assertLegal({ key, bytes, checksum }: ManifestSegment): Promise<void> {
    const object = this.#bucket.objects.get(key);
    if (object === undefined) throw new KattegatError("conflict", `${key} has been deleted; store it again.`);
    const { network, scanner, seams } = this.#options;
    const read = (offset: number, length: number): Promise<Uint8Array> =>
      Promise.resolve(object.subarray(offset, offset + length));
    const segment = await openSegment(read, { scanner, totalBytes: bytes, checksum });
    const passages: ColdPassage[] = [];
    for await (const passage of segment.readAll()) passages.push(passage);
    this.#passages.set(key, passages);
    const own = seams.network(network);
    if (!passages.every(({ residency }) => mayHold(own, residency, { id: this.id })))
      throw new KattegatError("residency_refused", `${key} holds a class that may not rest at ${this.id}.`);
  }

  #object(key: string, request: SiteRequest): Answer {
    const { objects } = this.#bucket;
    if (request.method === "PUT") {
      if (request.body instanceof Uint8Array && !objects.has(key))
        this.#bucket = { ...this.#bucket, objects: new Map([...objects, [key, request.body]]) };
      return answerOf(null);
    }
    if (request.method === "DELETE") {
      if (this.#manifest !== null && keysOf(this.#manifest).includes(key))
        throw new KattegatError("conflict", `${key} is named by the current manifest.`);
      const left = new Map(objects);
      left.delete(key);
      this.#bucket = { ...this.#bucket, objects: left };
      return answerOf(null);
    }
    const object = objects.get(key);
    if (object === undefined) throw new KattegatError("not_found", key);
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers?.["range"] ?? "") ?? [];
    const bytes = object.subarray(Number(from), to === "" ? object.length : Number(to) + 1);
    return { ...answerOf(null, { bytes }), status: 206 };
  }
}

/** As the Worker refuses: an earlier reign first, a watermark that goes back later. */
function assertFollows(before: ColdManifest | null, next: ColdManifest): void {
  if (before === null) return;
  if (next.watermark.epoch < before.watermark.epoch)
    throw new KattegatError("stale_epoch", `Expected a manifest of epoch ${before.watermark.epoch}.`);
  if (compareFences(next.watermark, before.watermark) < 0)
    throw new KattegatError("divergence", `Expected a watermark not before ${before.watermark.sequence}.`);
}
