/** An archive's side of a comparison: replication reads the bucket, since nobody else could tell of it. */
import { sumOf } from "@kattegat/engine/digests/copy-digest.ts";
import { LINE_DIGEST_BITS, type Ranges } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { HashedCopy, HeldCopies, HeldSource } from "../entropy/source.ts";
import { CONCURRENT_MAX, listRange, type ArchiveScrub } from "./archive-scrub.ts";
import type { Bucket } from "./bucket.ts";
import { inParallel } from "./in-parallel.ts";
import { digestOf, keyOfObject, type ListedDigests } from "./listed-digests.ts";
import { documentOf, parseKey, prefixOfDigits } from "./object-name.ts";
import type { ObjectVersion } from "./s3-answer.ts";
import { isDamaged } from "./stored-object.ts";
import { readWatermark } from "./watermark-object.ts";

export interface ArchiveCopiesOptions {
  readonly bucket: Pick<Bucket, "versions" | "get" | "name">;
  readonly digests: ListedDigests;
  readonly scrub: Pick<ArchiveScrub, "site" | "takeSuspects" | "failureOf">;
}

export class ArchiveCopies implements HeldSource {
  readonly site: string;
  readonly #options: ArchiveCopiesOptions;

  constructor(options: ArchiveCopiesOptions) {
    this.#options = options;
    this.site = options.scrub.site;
  }

  /** Rejects while the bucket cannot be listed: sums from before that say nothing of it. */
  async ranges({ depth, indexes }: Ranges): Promise<{ documents: number; digests: bigint[] }> {
    const { digests, scrub } = this.#options;
    const failure = scrub.failureOf("names");
    if (failure !== undefined) throw failure;
    if (!digests.isWhole)
      throw new KattegatError("not_ready", "The bucket's names are being listed for the first time.", {
        retryAfterSeconds: 5,
      });
    const sums = indexes.map((index) => digests.tree.at(depth, index).sum);
    return await Promise.resolve({ documents: digests.tree.documents, digests: sums });
  }

  async lines({ depth, indexes }: Ranges, signal: AbortSignal): Promise<ReadonlyMap<bigint, bigint>> {
    const lines = new Map<bigint, bigint>();
    await inParallel([...indexes], CONCURRENT_MAX, async (index) => {
      for (const version of await listRange({ depth, index }, this.#options, signal)) {
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

  /** Rejects while objects cannot be read. */
  async scrub(): Promise<readonly string[]> {
    const { scrub } = this.#options;
    const suspects = scrub.takeSuspects();
    const failure = scrub.failureOf("objects");
    if (suspects.length === 0 && failure !== undefined) throw failure;
    return await Promise.resolve(suspects);
  }

  /** Null for an object that is gone since it was listed. */
  async #copyOf(
    { key, isLatest }: ObjectVersion,
    signal: AbortSignal,
  ): Promise<Omit<HashedCopy, "document_sha256"> | null> {
    const name = isLatest ? parseKey(key) : null;
    const unknown = { class: null, digest: null, passages: null, damaged: 0 };
    if (name === null) return { ...unknown, version: isLatest ? "unknown" : "former" };
    const damaged = await isDamaged(key, this.#options.bucket, signal);
    if (damaged === null) return null;
    const { fence, residency, digest } = name;
    return { version: fence.sequence, class: residency, digest, passages: null, damaged: damaged ? 1 : 0 };
  }
}
