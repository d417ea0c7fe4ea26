/** An archive's side of a comparison: replication reads the bucket, since nobody else could tell of it. */
import { leafDepth, leavesOf } from "@kattegat/engine/digests/digest-tree.ts";
import { sumOf } from "@kattegat/engine/digests/copy-digest.ts";
import { DEPTHS, LINE_DIGEST_BITS, type Depth, type Ranges } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { HashedCopy, HeldCopies, HeldSource } from "../entropy/source.ts";
import type { Bucket } from "./bucket.ts";
import { inParallel } from "./in-parallel.ts";
import { digestOf, keyOfObject, type ListedDigests } from "./listed-digests.ts";
import { documentOf, keyDigitsOf, keyOf, parseKey, prefixOfDigits } from "./object-name.ts";
import type { ObjectVersion } from "./s3-answer.ts";
import { decodeObject } from "./stored-object.ts";
import { readWatermark } from "./watermark-object.ts";

/** Requests at once: the streams have the other connections. */
const CONCURRENT_MAX = 8;
/** Names under one prefix, a page of a list. */
const PREFIX_NAMES = 1_000;
/** Before it is known how many there are: sixteen requests of an empty bucket. */
const FIRST_DEPTH: Depth = 4;
/** Ranges that writes keep from being listed with the others, for one step of the scrub. */
const DOUBTED_MAX = 64;
const BITS_OF_DIGIT = 4;

export interface ArchiveCopiesOptions {
  readonly site: string;
  /** For what a comparison asks. */
  readonly bucket: Pick<Bucket, "versions" | "get" | "name">;
  /** For what is read over and over; the same bucket, whose bytes are counted apart. */
  readonly scrubbed: Pick<Bucket, "versions" | "get">;
  readonly digests: ListedDigests;
}

interface ScrubStep {
  readonly count: number;
  readonly isPassOver: boolean;
}

/** The next range of a level, that level's number of ranges at the end. */
interface Pass {
  readonly depth: Depth;
  next: number;
}

interface Reading extends Pass {
  /** Objects to read before that range. */
  queue: string[];
}

export class ArchiveCopies implements HeldSource {
  readonly site: string;
  readonly #options: ArchiveCopiesOptions;
  #listing: Pass = { depth: FIRST_DEPTH, next: 0 };
  #reading: Reading = { depth: FIRST_DEPTH, next: 0, queue: [] };
  #suspects = new Set<string>();

  constructor(options: ArchiveCopiesOptions) {
    this.#options = options;
    this.site = options.site;
  }

  get isWriting(): boolean {
    return this.#options.digests.isWriting;
  }

  ranges({ depth, indexes }: Ranges): Promise<{ documents: number; digests: bigint[] }> {
    const { tree, isWhole } = this.#options.digests;
    if (isWhole) {
      const digests = indexes.map((index) => tree.at(depth, index).sum);
      return Promise.resolve({ documents: tree.documents, digests });
    }
    return Promise.reject(
      new KattegatError("not_ready", "The bucket's names are being listed for the first time.", {
        retryAfterSeconds: 5,
      }),
    );
  }

  async lines({ depth, indexes }: Ranges, signal: AbortSignal): Promise<ReadonlyMap<bigint, bigint>> {
    const lines = new Map<bigint, bigint>();
    await inParallel([...indexes], CONCURRENT_MAX, async (index) => {
      for (const version of await this.#list(this.#options.bucket, { depth, index }, signal)) {
        const key = keyOfObject(version);
        if (key !== null) lines.set(key, sumOf(lines.get(key) ?? 0n, digestOf(version)));
      }
    });
    return new Map([...lines].map(([key, sum]) => [key, BigInt.asUintN(LINE_DIGEST_BITS, sum)]));
  }

  async copies({ keys }: { readonly keys: readonly string[] }, signal: AbortSignal): Promise<HeldCopies> {
    const { bucket } = this.#options;
    // First: what it promises is in the lists after it.
    const { watermark: position } = await readWatermark(bucket, signal);
    const hashed: HashedCopy[] = [];
    await inParallel([...keys], CONCURRENT_MAX, async (key) => {
      for await (const version of bucket.versions(prefixOfDigits(key), signal)) {
        const document = documentOf(version.key);
        const copy = document === null ? null : await this.#copyOf(version, signal);
        if (document !== null && copy !== null) hashed.push({ document_sha256: document, ...copy });
      }
    });
    return { position, copies: [], hashed };
  }

  scrub(): Promise<readonly string[]> {
    const suspects = [...this.#suspects];
    this.#suspects = new Set();
    return Promise.resolve(suspects);
  }

  /** Lists the names of the next range, and of those that writes kept from being listed. */
  async listOn(signal: AbortSignal): Promise<ScrubStep> {
    const { digests, scrubbed } = this.#options;
    let count = 0;
    await inParallel([...digests.doubted].slice(0, DOUBTED_MAX), CONCURRENT_MAX, async (index) => {
      count += (await this.#list(scrubbed, { depth: 16, index }, signal)).length;
    });
    const { depth, next } = this.#listing;
    count += (await this.#list(scrubbed, { depth, index: next }, signal)).length;
    const isPassOver = next + 1 === 1 << depth;
    this.#listing = isPassOver ? { depth: this.#depth(), next: 0 } : { depth, next: next + 1 };
    return { count, isPassOver };
  }

  /** Reads the next objects, to see whether they are as they were stored. */
  async readOn(signal: AbortSignal): Promise<ScrubStep> {
    const reading = this.#reading;
    const keys = reading.queue.splice(0, CONCURRENT_MAX);
    const isPassOver = keys.length === 0 && reading.next === 1 << reading.depth;
    if (isPassOver) this.#reading = { depth: this.#depth(), next: 0, queue: [] };
    else if (keys.length === 0) await this.#queueOn(signal);
    else await inParallel(keys, CONCURRENT_MAX, (key) => this.#read(key, signal));
    return { count: keys.length, isPassOver };
  }

  async #queueOn(signal: AbortSignal): Promise<void> {
    const reading = this.#reading;
    const { depth, next: index } = reading;
    const listed = await this.#list(this.#options.scrubbed, { depth, index }, signal);
    reading.queue = listed.flatMap(({ key, isLatest }) => (isLatest && parseKey(key) !== null ? [key] : []));
    reading.next = index + 1;
  }

  /** An object that cannot be read hides nothing behind it: a round looks at it. */
  async #read(key: string, signal: AbortSignal): Promise<void> {
    try {
      if ((await this.#isDamaged(key, this.#options.scrubbed, signal)) === true) this.#suspect(key);
    } catch (error) {
      this.#suspect(key);
      throw error;
    }
  }

  /** The level on which a range is a page of a list or two. */
  #depth(): Depth {
    const { documents } = this.#options.digests.tree;
    return DEPTHS.find((depth) => documents <= PREFIX_NAMES << depth) ?? leafDepth(documents);
  }

  async #list(
    bucket: Pick<Bucket, "versions">,
    { depth, index }: { readonly depth: Depth; readonly index: number },
    signal: AbortSignal,
  ): Promise<readonly ObjectVersion[]> {
    const { digests } = this.#options;
    const listing = digests.listing(leavesOf(depth, index));
    const digits = depth === 0 ? "" : index.toString(16).padStart(depth / BITS_OF_DIGIT, "0");
    const listed = await Array.fromAsync(bucket.versions(prefixOfDigits(digits), signal));
    digests.count(listing, listed);
    return listed;
  }

  /** Null for an object that is gone since it was listed. */
  async #copyOf(
    { key, isLatest }: ObjectVersion,
    signal: AbortSignal,
  ): Promise<Omit<HashedCopy, "document_sha256"> | null> {
    const name = isLatest ? parseKey(key) : null;
    const unknown = { class: null, digest: null, passages: null, damaged: 0 };
    if (name === null) return { ...unknown, version: isLatest ? "unknown" : "former" };
    const isDamaged = await this.#isDamaged(key, this.#options.bucket, signal);
    if (isDamaged === null) return null;
    const { fence, residency, digest } = name;
    const damaged = isDamaged ? 1 : 0;
    return { version: fence.sequence, class: residency, digest, passages: null, damaged };
  }

  /** Null for an object that is gone. */
  async #isDamaged(key: string, bucket: Pick<Bucket, "get">, signal: AbortSignal): Promise<boolean | null> {
    const stored = await bucket.get(key, signal);
    if (stored === null) return null;
    try {
      const { sealed, isSound } = decodeObject(stored.bytes);
      return !isSound || keyOf(sealed) !== key;
    } catch {
      // No sealed document, or none any more.
      return true;
    }
  }

  #suspect(key: string): void {
    const document = documentOf(key);
    if (document !== null) this.#suspects.add(keyDigitsOf(document));
  }
}
