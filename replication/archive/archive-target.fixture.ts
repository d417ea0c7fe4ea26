/** An archive over a real S3 server. */
import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { FeedChange } from "@kattegat/protocol/changes.ts";
import { FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { bucketAt, startS3, temporaryFolder } from "../embedded-s3/s3-process.fixture.ts";
import type { Batch, Target } from "../target.ts";
import { createArchiveTarget } from "./archive-target.ts";
import { ListedDigests } from "./listed-digests.ts";
import type { Bucket, BucketOptions } from "./bucket.ts";

export const never = new AbortController().signal;

export interface ArchiveUnderTest {
  readonly bucket: Bucket;
  readonly target: Target;
  /** The bucket as somebody with other settings asks it. */
  other(settings: Partial<BucketOptions>): Bucket;
  /** Names of all objects. */
  keys(): Promise<readonly string[]>;
  empty(): Promise<void>;
  stop(): Promise<void>;
}

/** `S3_URL` when it is set, with `S3_BUCKET` and the usual AWS variables; else a new embedded server. */
export async function openArchive(): Promise<ArchiveUnderTest> {
  // oxlint-disable-next-line node/no-process-env -- where a person wants the tests to run
  const { S3_URL, S3_BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  const folder = S3_URL === undefined ? temporaryFolder() : null;
  const embedded = folder === null ? null : await startS3(folder.path);
  const place =
    embedded === null
      ? {
          endpoint: S3_URL ?? "",
          name: S3_BUCKET ?? "",
          region: AWS_REGION ?? "us-east-1",
          accessKeyId: AWS_ACCESS_KEY_ID ?? "",
          secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "",
        }
      : { endpoint: embedded.url };
  const bucket = bucketAt(place);
  const empty = async (): Promise<void> =>
    bucket.remove(await Array.fromAsync(bucket.versions("", never)), never);
  await empty();
  return {
    bucket,
    target: targetOf(bucket),
    other: (changed) => bucketAt({ ...place, ...changed }),
    keys: async () => (await Array.fromAsync(bucket.versions("", never))).map(({ key }) => key),
    empty,
    async stop() {
      await empty();
      await embedded?.kill();
      folder?.remove();
    },
  };
}

/** May hold everything but the class `elsewhere`. */
export function targetOf(bucket: Bucket, digests = new ListedDigests()): Target {
  return createArchiveTarget({
    site: "archive-dk",
    model: "hashed-384-v1",
    bucket,
    pace: { turn: () => Promise.resolve() },
    watch: digests,
    mayHold: (className) => className !== "elsewhere",
  });
}

/** Bytes that look sealed. */
function noise(): string {
  return Buffer.concat([Uint8Array.of(1), randomBytes(60)]).toString("base64");
}

export function sealed(
  id: string,
  {
    version,
    epoch = 1,
    residency = "eu",
    content = version,
  }: {
    readonly version: number;
    readonly epoch?: number;
    readonly residency?: string;
    readonly content?: number;
  },
): SealedRecord {
  return {
    document: hashedId(id),
    epoch,
    version: String(version),
    residency,
    digest: createHash("sha256").update(`${id} ${content}`).digest("hex"),
    key: { partition: 1, version: 1, id: "AAAA", wrapped: noise() },
    record: noise(),
    head: noise(),
    body: noise(),
    own: [],
    vectors: [],
  };
}

const at = new Date(0).toISOString();

export function put(
  id: string,
  sequence: number,
  options: {
    readonly version?: number;
    readonly epoch?: number;
    readonly residency?: string;
    readonly content?: number;
    readonly replaces?: boolean;
  } = {},
): FeedChange {
  const { epoch = 1, version = sequence } = options;
  return {
    kind: "put-sealed",
    epoch,
    sequence: String(sequence),
    committed_at: at,
    document_id: id,
    replaces: options.replaces ?? true,
    sealed: sealed(id, { ...options, version }),
  };
}

export function withdraw(id: string, sequence: number, epoch = 1): FeedChange {
  return {
    kind: "withdraw",
    epoch,
    sequence: String(sequence),
    committed_at: at,
    document_id: id,
    reason: "deleted",
  };
}

export function batchOf(changes: readonly FeedChange[], after: Fence = FENCE_ZERO): Batch {
  const last = changes.at(-1);
  const position = last === undefined ? after : { epoch: last.epoch, sequence: last.sequence };
  const head = {
    kind: "head",
    ...position,
    at,
    model: randomUUID(),
    statistics_version: null,
  } as const;
  return { changes, after, position, positionAt: at, head };
}
