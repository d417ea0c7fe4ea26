/** Reads what an archive's bucket holds, by the names of its objects. */
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import {
  WATERMARK_KEY,
  parseKey,
  prefixOf,
  type ObjectName,
} from "@kattegat/replication/archive/object-name.ts";
import type { ObjectVersion } from "@kattegat/replication/archive/s3-answer.ts";
import { readWatermark } from "@kattegat/replication/archive/watermark-object.ts";
import type { ObjectLine, StoreLine } from "@kattegat/protocol/holdings.ts";
import type { Finding } from "./compare.ts";
import type { ArchiveReading } from "./archive-reading.ts";
import type { ArchivedLine } from "./row.ts";

export const OBJECTS = "objects";

/** Objects that are read at once, each of some megabytes at most. */
const CONCURRENT_MAX = 16;

export interface ArchiveCopiesOptions {
  readonly model: string;
  /** Null where their names are all that is asked. */
  readonly reading: Pick<ArchiveReading, "read"> | null;
  readonly signal: AbortSignal;
}

/** The watermark is read first: what it promises is listed after it. */
export async function* readArchiveCopies(
  bucket: Bucket,
  { model, reading, signal }: ArchiveCopiesOptions,
): AsyncGenerator<StoreLine | ArchivedLine | ObjectLine> {
  let unread: Listed[] = [];
  const { watermark } = await readWatermark(bucket, signal);
  yield { kind: "store", store: OBJECTS, model, ...watermark, whole_at: null };
  for await (const version of bucket.versions("", signal)) {
    const name = version.isLatest ? parseKey(version.key) : null;
    // Former watermarks are deleted by and by; they tell nothing of a document.
    const isOwn = name !== null || version.key === WATERMARK_KEY;
    yield {
      kind: "object",
      key: strayOf(version),
      bytes: version.bytes,
      uploaded_at: version.modifiedAt,
      named: isOwn ? "network" : "nothing",
    };
    if (name === null) continue;
    unread.push({ key: version.key, line: lineOf(name) });
    if (reading !== null && unread.length < CONCURRENT_MAX) continue;
    yield* await readLines(unread, reading);
    unread = [];
  }
  yield* await readLines(unread, reading);
}

interface Listed {
  readonly key: string;
  readonly line: ArchivedLine;
}

function lineOf({ document, fence, residency, digest }: ObjectName): ArchivedLine {
  const told = { version: fence.sequence, epoch: fence.epoch, class: residency, digest };
  return { kind: "archived", store: OBJECTS, document, ...told, opened: false, damage: null };
}

async function readLines(
  listed: readonly Listed[],
  reading: ArchiveCopiesOptions["reading"],
): Promise<readonly ArchivedLine[]> {
  return await Promise.all(
    listed.map(async ({ key, line }) =>
      reading === null ? line : { ...line, ...(await reading.read(key)) },
    ),
  );
}

/** Names of objects have no blank. */
const SEPARATOR = " version ";

function strayOf({ key, version, isLatest }: ObjectVersion): string {
  return isLatest || version === null ? key : `${key}${SEPARATOR}${version}`;
}

/** Deletes an object as it was told. */
export async function removeStray(bucket: Bucket, stray: string, signal: AbortSignal): Promise<void> {
  const doomed: ObjectVersion[] = [];
  const [key = ""] = stray.split(SEPARATOR);
  for await (const version of bucket.versions(key, signal))
    if (strayOf(version) === stray) doomed.push(version);
  await bucket.remove(doomed, signal);
}

/** Deletes the object that was judged, of a document that the log cannot name; what came since is not its. */
export async function removeCopy(
  bucket: Bucket,
  { document_sha256: document, class: residency, copy }: Finding,
  signal: AbortSignal,
): Promise<void> {
  if (residency === null || copy === null || copy.epoch === null || copy.digest === null) return;
  const { epoch, version, digest } = copy;
  const held = await Array.fromAsync(bucket.versions(prefixOf(document), signal));
  await bucket.remove(
    held.filter(({ key }) => {
      const name = parseKey(key);
      const isSame = name?.residency === residency && name.digest === digest;
      return isSame && name.fence.epoch === epoch && name.fence.sequence === version;
    }),
    signal,
  );
}
