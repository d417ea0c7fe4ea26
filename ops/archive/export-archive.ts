/** Opens what an archive holds, as records that an ingest takes. */
import type { OpenedRecord, RecordOpener } from "@kattegat/primary-dk/sealing/sealed-record.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import { DOCUMENTS, parseKey, type ObjectName } from "@kattegat/replication/archive/object-name.ts";
import { openObject } from "./open-object.ts";

/** Objects on their way at once. */
const CONCURRENT_MAX = 16;
/** Names of damaged objects that are told; more are counted. */
const DAMAGED_TOLD_MAX = 20;

export interface ExportSummary {
  readonly documents: number;
  /** Of documents whose keys were destroyed: erased, and nobody opens them again. */
  readonly destroyed: number;
  /** That are not what their names say, or whose key this keyring does not have and no erasure explains. */
  readonly damaged: number;
  readonly damaged_keys: readonly string[];
}

export interface ExportOptions {
  readonly bucket: Bucket;
  readonly opener: Pick<RecordOpener, "open">;
  /** Resolves when there is room for more. */
  readonly write: (record: OpenedRecord) => Promise<void>;
  readonly progress: (documents: number) => void;
  readonly signal: AbortSignal;
}

/** Of each document the newest object alone is read, one bucket page and some objects at a time. */
export async function exportArchive(options: ExportOptions): Promise<ExportSummary> {
  const { bucket, opener, write, progress, signal } = options;
  const open = (sealed: SealedRecord): OpenedRecord | "destroyed" => opener.open(sealed) ?? "destroyed";
  const damagedKeys: string[] = [];
  const counts = { documents: 0, destroyed: 0, damaged: 0 };
  const settle = async (keys: readonly string[]): Promise<void> => {
    const opened = await Promise.all(keys.map((key) => openObject(key, { bucket, open, signal })));
    for (const [index, record] of opened.entries()) {
      if (record === "destroyed") counts.destroyed += 1;
      else if (record === "damaged") {
        counts.damaged += 1;
        if (damagedKeys.length < DAMAGED_TOLD_MAX) damagedKeys.push(keys[index] ?? "");
      } else if (record !== "gone") {
        await write(record);
        counts.documents += 1;
      }
    }
    progress(counts.documents);
  };
  let keys: string[] = [];
  for await (const key of newestKeys(bucket, signal)) {
    keys.push(key);
    if (keys.length < CONCURRENT_MAX) continue;
    await settle(keys);
    keys = [];
  }
  await settle(keys);
  return { ...counts, damaged_keys: damagedKeys };
}

/** Objects of one document follow each other; while one replaces another, both are there. */
async function* newestKeys(bucket: Bucket, signal: AbortSignal): AsyncGenerator<string> {
  let last: { readonly key: string; readonly name: ObjectName } | null = null;
  for await (const { key, isLatest } of bucket.versions(DOCUMENTS, signal)) {
    const name = isLatest ? parseKey(key) : null;
    if (name === null) continue;
    if (last?.name.document === name.document) {
      if (compareFences(name.fence, last.name.fence) > 0) last = { key, name };
      continue;
    }
    if (last !== null) yield last.key;
    last = { key, name };
  }
  if (last !== null) yield last.key;
}
