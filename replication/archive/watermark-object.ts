/** The watermark of an archive, an object of its bucket. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { FENCE_ZERO, fenceSchema, type Fence } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";
import type { Bucket } from "./bucket.ts";
import { WATERMARK_KEY } from "./object-name.ts";

const watermarkObjectSchema = z.strictObject({
  format: z.literal("kattegat-archive/1"),
  watermark: fenceSchema,
  watermark_at: z.string(),
  /** Whoever stored it: what another remembers of the bucket is worth nothing from then on. */
  writer: z.string().optional(),
});

export interface StoredWatermark {
  readonly watermark: Fence;
  /** Of the object; null when there is none. */
  readonly etag: string | null;
  /** Null where it does not say. */
  readonly writer: string | null;
}

/** @throws {KattegatError} `divergence` for a watermark that nobody can read: to begin anew could bring back what was erased. */
export async function readWatermark(
  bucket: Pick<Bucket, "get" | "name">,
  signal: AbortSignal,
): Promise<StoredWatermark> {
  const stored = await bucket.get(WATERMARK_KEY, signal);
  if (stored === null) return { watermark: FENCE_ZERO, etag: null, writer: null };
  try {
    const { watermark, writer = null } = watermarkObjectSchema.parse(
      JSON.parse(new TextDecoder().decode(stored.bytes)),
    );
    return { watermark, etag: stored.etag, writer };
  } catch (cause) {
    throw new KattegatError(
      "divergence",
      `${WATERMARK_KEY} of the bucket ${bucket.name} is no watermark of an archive. Empty the bucket whole, and the archive is made anew from the log.`,
      { cause },
    );
  }
}

/** Each store leaves one in a bucket that keeps versions. */
export async function removeFormerWatermarks(
  bucket: Pick<Bucket, "versions" | "remove">,
  signal: AbortSignal,
): Promise<void> {
  const versions = await Array.fromAsync(bucket.versions(WATERMARK_KEY, signal));
  await bucket.remove(
    versions.filter(({ key, isLatest }) => key === WATERMARK_KEY && !isLatest),
    signal,
  );
}

/** Resolves with the tag of the new one. @throws {KattegatError} `conflict` when another has stored one since. */
export async function storeWatermark(
  bucket: Pick<Bucket, "put">,
  {
    watermark,
    at,
    writer,
    etag,
  }: {
    readonly watermark: Fence;
    readonly at: string;
    readonly writer: string;
    readonly etag: string | null;
  },
  signal: AbortSignal,
): Promise<string> {
  const content: z.infer<typeof watermarkObjectSchema> = {
    format: "kattegat-archive/1",
    watermark,
    watermark_at: at,
    writer,
  };
  return await bucket.put(WATERMARK_KEY, Buffer.from(JSON.stringify(content)), { signal, onlyAt: etag });
}
