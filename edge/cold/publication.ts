/** The publishing of generations into this edge's own bucket. */
import { mayHold } from "@kattegat/config/residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import {
  keysOf,
  parseManifest,
  type ColdManifest,
  type ManifestBase,
  type ManifestSegment,
} from "@kattegat/engine/cold/manifest.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import { ColdFormatError } from "@kattegat/engine/cold/segment.ts";
import { formatDigest } from "@kattegat/protocol/content-digest.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import { checkedHead, modelOfHeadKey } from "../embedding/incoming-head.ts";
import type { ColdIndex } from "./cold-index.ts";
import { manifestsIn, readManifestOf } from "./manifests.ts";
import { manifestKey } from "./manifest-key.ts";

interface ExpectedObject {
  readonly bytes: number;
  readonly sha256: Uint8Array<ArrayBuffer> | null;
}

/** Of one model's copies; objects are everybody's. */
export interface Publication {
  /**
   * Publishes a manifest in the place of the one that the ETag names, of none when it is null; resolves with its own ETag.
   *
   * @throws {KattegatError} `conflict` when another one is there, `stale_epoch` for an earlier reign, `divergence` for a
   * watermark that goes backwards, `residency_refused` for a segment with a class that may not rest here, `bad_request` for a
   * manifest of another model. An object that is named and not there is a `conflict`, too.
   */
  publish(text: string, expectedEtag: string | null): Promise<string>;
  /**
   * Stores an object, compared with its SHA-256 where one is given; the same again is no error.
   *
   * @throws {KattegatError} `divergence` for another object of this name, `unavailable` for one that was damaged on its way,
   * `residency_refused` for a trained embedding that may not rest here.
   */
  store(key: string, body: ReadableStream, expected: ExpectedObject): Promise<void>;
  /** @throws {KattegatError} `conflict` for an object that a manifest names. */
  remove(key: string): Promise<void>;
}

export function createPublication(options: {
  readonly index: ColdIndex;
  readonly network: Network;
  readonly site: string;
}): Publication {
  const { bucket, model } = options.index;
  const manifestName = manifestKey(model);
  const classes = Object.keys(options.network.classes).filter((name) =>
    mayHold(options.network, name, { id: options.site }),
  );

  async function held(): Promise<{
    readonly manifest: ColdManifest;
    readonly etag: string;
    readonly httpEtag: string;
  } | null> {
    const object = await readManifestOf(bucket, model);
    return object === null
      ? null
      : { manifest: parseManifest(await object.text()), etag: object.etag, httpEtag: object.httpEtag };
  }

  return {
    async publish(text, expectedEtag) {
      const next = manifestOf(text);
      if (next.model !== model.model || next.dimensions !== model.dimensions)
        throw new KattegatError(
          "bad_request",
          `Expected a manifest of ${model.model} with ${model.dimensions} dimensions; one of ${next.model} with ${next.dimensions} came.`,
        );
      const before = await held();
      refuseEarlierReign(before?.manifest ?? null, next);
      // Before the watermark: a publisher that lost a race has not gone backwards, it has to read again.
      if ((before?.httpEtag ?? null) !== expectedEtag) throw replaced();
      refuseBackwards(before?.manifest ?? null, next);
      const known = new Set(before?.manifest.segments.map(({ key }) => key));
      for (const segment of next.segments)
        if (!known.has(segment.key)) await refuseForeign(options, segment, classes);
      if (next.base !== null && next.base.key !== before?.manifest.base?.key)
        await refuseForeignBase(options, next.base, classes);
      const onlyIf = before === null ? new Headers({ "if-none-match": "*" }) : { etagMatches: before.etag };
      const stored = await bucket.put(manifestName, text, {
        onlyIf,
        httpMetadata: { contentType: "application/json" },
      });
      if (stored === null) throw replaced();
      return stored.httpEtag;
    },
    async store(key, body, expected) {
      const embedding = modelOfHeadKey(key);
      const checked =
        embedding === null
          ? body
          : await checkedHead(body, { ...options, model: embedding, bytes: expected.bytes });
      await storeOnce(bucket, key, checked, expected);
    },
    async remove(key) {
      for (const { manifest } of await manifestsIn(bucket))
        if (keysOf(manifest).includes(key))
          throw new KattegatError(
            "conflict",
            `${key} is named by the current manifest of ${manifest.model}; publish one without it first.`,
          );
      await bucket.delete(key);
    },
  };
}

async function storeOnce(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream | Uint8Array<ArrayBuffer>,
  { bytes, sha256 }: ExpectedObject,
): Promise<void> {
  const onlyIf = new Headers({ "if-none-match": "*" });
  const put = bucket.put(key, body, { onlyIf, ...(sha256 === null ? {} : { sha256 }) });
  const stored = await put.catch((cause: unknown) => {
    if (sha256 !== null && cause instanceof Error && /checksum/i.test(cause.message))
      throw new KattegatError("unavailable", `${key} was damaged on its way; send it again.`, { cause });
    throw cause;
  });
  if (stored !== null) return;
  const present = await bucket.head(key);
  const held = present?.checksums.sha256;
  const isOther =
    held !== undefined && sha256 !== null && formatDigest(new Uint8Array(held)) !== formatDigest(sha256);
  if (present?.size !== bytes || isOther)
    throw new KattegatError(
      "divergence",
      `${key} is there with ${present?.size ?? 0} bytes; ${bytes} other ones came. A key is never used again.`,
    );
}

function manifestOf(text: string): ColdManifest {
  try {
    return parseManifest(text);
  } catch (cause) {
    if (!(cause instanceof ColdFormatError)) throw cause;
    throw new KattegatError("bad_request", `${cause.message}.`, { cause });
  }
}

function refuseEarlierReign(before: ColdManifest | null, next: ColdManifest): void {
  if (before === null || next.watermark.epoch >= before.watermark.epoch) return;
  throw new KattegatError(
    "stale_epoch",
    `Expected a manifest of epoch ${before.watermark.epoch}; one of epoch ${next.watermark.epoch} came.`,
  );
}

function refuseBackwards(before: ColdManifest | null, next: ColdManifest): void {
  if (before === null || compareFences(next.watermark, before.watermark) >= 0) return;
  throw new KattegatError(
    "divergence",
    `Expected a watermark not before ${before.watermark.sequence}; ${next.watermark.sequence} came.`,
  );
}

/** The site checks what it is given with its own network file (I5). */
async function refuseForeign(
  { index, site }: { readonly index: ColdIndex; readonly site: string },
  segment: ManifestSegment,
  classes: readonly string[],
): Promise<void> {
  let isLegal = false;
  try {
    isLegal = await index.holdsOnly(segment, classes);
  } catch (cause) {
    if (!(cause instanceof ColdFormatError)) throw cause;
    await assertThere(index, segment.key, cause);
    throw new KattegatError("bad_request", `${segment.key} cannot be read: ${cause.message}.`, { cause });
  }
  if (!isLegal)
    throw new KattegatError(
      "residency_refused",
      `${segment.key} holds a class that may not rest at ${site}; expected ${classes.join(", ")}.`,
    );
}

/** Another publisher's clock may have made garbage of it: then it is to be made again, and no change in it is at fault. */
async function assertThere({ bucket }: ColdIndex, key: string, cause: ColdFormatError): Promise<void> {
  if ((await bucket.head(key)) !== null) return;
  throw new KattegatError("conflict", `${key} has been deleted; store it again.`, { cause });
}

/** A document's class is one of those that the root lists, or cannot be read at all. */
async function refuseForeignBase(
  { index, site }: { readonly index: ColdIndex; readonly site: string },
  base: ManifestBase,
  classes: readonly string[],
): Promise<void> {
  let held: readonly string[];
  try {
    held = await index.classesOf(base);
  } catch (cause) {
    if (!(cause instanceof ColdFormatError)) throw cause;
    await assertThere(index, rootKey(base), cause);
    throw new KattegatError("bad_request", `${base.key} cannot be read: ${cause.message}.`, { cause });
  }
  if (!held.every((name) => classes.includes(name)))
    throw new KattegatError(
      "residency_refused",
      `${base.key} holds a class that may not rest at ${site}; expected ${classes.join(", ")}.`,
    );
}

function replaced(): KattegatError {
  return new KattegatError("conflict", "Another manifest has been published meanwhile; read it again.");
}
