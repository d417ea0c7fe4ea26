/** A zone's cold tier as a target. */
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import {
  withSegment,
  withTombstones,
  type ColdManifest,
  type Holders,
  type ManifestSegment,
} from "@kattegat/engine/cold/manifest.ts";
import { removedUpTo } from "@kattegat/engine/cold/removal.ts";
import { encodeSegment } from "@kattegat/engine/cold/segment.ts";
import { assertReached } from "@kattegat/protocol/batch-place.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences, compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";
import { readBatch, type ColdBatch, type Refuse } from "./cold-batch.ts";
import type { ColdPublisher } from "./cold-publisher.ts";
import { assertReserved, withReservation } from "./cold-reservation.ts";
import type { ColdStore } from "./cold-store.ts";
import type { ColdTable, DocumentVersion } from "./cold-table.ts";
import { openChanges, type Batch, type Target } from "./target.ts";

/** Each batch is a segment that every search opens until it is merged; a reader waits seconds for cold, not for this. */
const REST_MS = 500;
/** A generation makes every edge read a manifest; one that tells a watermark alone is worth that once a second. */
const WATERMARK_ONLY_MS_MIN = 1_000;

export interface ColdParts {
  readonly store: ColdStore;
  readonly publisher: ColdPublisher;
  readonly table: ColdTable;
  readonly model: string;
  readonly dimensions: number;
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * Stores each batch as one segment, with the watermark in the manifest that makes it visible (I8, I12): a crash before
 * that leaves an object that nobody refers to, a repetition after it finds the watermark moved.
 */
export function createEdgeTarget(
  parts: ColdParts & { readonly refuse: Refuse; readonly isNext: boolean },
): Target {
  const { publisher, now } = parts;
  const newKey = (): string => `segments/${parts.newId()}.seg`;
  let segmentKey: string | null = null;
  /** What was taken without a generation: the stream is at `position` while the manifest says `watermark`. */
  let ahead: Ahead | null = null;

  /** The next segment's key is reserved in the manifest of this one, which saves a manifest for each batch. */
  async function uploaded(batch: ColdBatch, after: Fence, signal: AbortSignal) {
    if (batch.puts.length === 0) return null;
    const key = segmentKey ?? newKey();
    segmentKey = null;
    // Not the manifest of now: another replication may have taken it past withdraws that the batch does not know.
    await publisher.reserve(key, signal, { after });
    const passages = batch.puts.flatMap((document) => document.passages);
    const bytes = new Uint8Array(encodeSegment(passages, parts));
    const documents = batch.puts.map(({ documentId, version }) => ({ documentId, version }));
    return uploadSegment(parts, { key, bytes, documents, passages: passages.length }, signal);
  }

  return {
    site: parts.store.site,
    model: parts.model,
    isNext: parts.isNext,
    restMs: REST_MS,
    async watermark(signal) {
      return (await publisher.read(signal)).watermark;
    },
    removed: async (signal) => removedUpTo(await publisher.current(signal), { nowMs: now() }),
    async apply({ changes, after, position, positionAt, head }: Batch, signal) {
      assertModel(head, parts);
      const start = await publisher.current(signal);
      assertReached(reachedBy(start, { after, ahead }), { after, to: position, place: "the zone" });
      const later = openChanges(changes).filter((change) => compareFences(change, start.watermark) > 0);
      const batch = readBatch(later, parts.refuse);
      const wanted = newerThanHeld(batch, start, { table: parts.table, position });
      const isEffective =
        wanted.puts.length > 0 || [...wanted.hidden].some((id) => parts.table.copyOf(id) !== null);
      const isEarly = now() - publisher.publishedAtMs < WATERMARK_ONLY_MS_MIN;
      if (!isEffective && changes.length > 0 && isEarly) {
        ahead = { watermark: start.watermark, position };
        return { watermark: start.watermark, refused: [...batch.refused] };
      }
      const segment = await uploaded(wanted, start.watermark, signal);
      const nextKey = newKey();
      const published = await publisher.publish((base) => {
        if (compareFences(base.watermark, start.watermark) !== 0) {
          throw new KattegatError(
            "conflict",
            `Another replication has moved ${parts.store.site} to ${base.watermark.sequence}.`,
          );
        }
        if (compareFences(position, base.watermark) <= 0) return null;
        if (segment !== null) assertReserved(base, segment.key, now());
        const edited = withBatch(base, { segment, hidden: wanted.hidden, parts });
        const reserved =
          segment === null
            ? edited
            : (withReservation(edited, nextKey, now(), { after: position, cached: publisher.cached() }) ??
              edited);
        const known = typeof head.whole_at === "string" ? { whole_at: head.whole_at } : {};
        return { ...reserved, ...known, watermark: position, watermark_at: positionAt };
      }, signal);
      if (segment !== null) segmentKey = nextKey;
      return { watermark: published.watermark, refused: [...batch.refused] };
    },
  };
}

function assertModel({ model }: Batch["head"], wanted: Pick<ColdParts, "model">): void {
  if (model === wanted.model) return;
  throw new KattegatError(
    "not_ready",
    `Expected changes of the model ${wanted.model}, as the network file says; the log's are of ${model}.`,
  );
}

interface Ahead {
  readonly watermark: Fence;
  readonly position: Fence;
}

/**
 * Where the zone is: at its manifest's watermark, and at every place after it up to the last change that needed no generation. So a
 * batch from any of these is told that the zone is where it begins.
 */
function reachedBy(
  { watermark }: ColdManifest,
  { after, ahead }: { readonly after: Fence; readonly ahead: Ahead | null },
): Fence {
  // Not when it was behind: a batch that another replication had overtaken was taken without a generation, too.
  const isAhead =
    ahead !== null &&
    compareFences(ahead.watermark, watermark) === 0 &&
    compareFences(ahead.position, watermark) > 0;
  if (!isAhead || compareFences(after, watermark) < 0) return watermark;
  return compareFences(after, ahead.position) <= 0 ? after : ahead.position;
}

/** Leaves out what the target holds in a newer version of the same reign: a late copy may not hide it (I3). */
function newerThanHeld(
  batch: ColdBatch,
  { watermark }: ColdManifest,
  options: { readonly table: ColdTable; readonly position: Fence },
): ColdBatch {
  if (options.position.epoch > watermark.epoch) return batch;
  const late = new Set<string>();
  for (const { documentId, version } of batch.puts) {
    const held = options.table.copyOf(documentId);
    if (held !== null && compareSequences(held.version, version) > 0) late.add(documentId);
  }
  if (late.size === 0) return batch;
  return {
    puts: batch.puts.filter(({ documentId }) => !late.has(documentId)),
    hidden: new Set([...batch.hidden].filter((id) => !late.has(id))),
    refused: batch.refused,
  };
}

function withBatch(
  base: ColdManifest,
  {
    segment,
    hidden,
    parts: { table, now },
  }: {
    readonly segment: ManifestSegment | null;
    readonly hidden: ReadonlySet<string>;
    readonly parts: Pick<ColdParts, "table" | "now">;
  },
): ColdManifest {
  const holders = holdersIn(table, base);
  const documentIds = [...hidden].filter((id) => table.copyOf(id) !== null);
  const options = { documentIds, holders, nowMs: now() };
  return segment === null ? withTombstones(base, options) : withSegment(base, segment, options);
}

/** Where the table says that the documents of a manifest are. */
export function holdersIn(table: Pick<ColdTable, "copyOf">, { base }: ColdManifest): Holders {
  return {
    holds: (key, id) => table.copyOf(id)?.segment === key,
    numberOf(id) {
      const copy = table.copyOf(id);
      return copy !== null && copy.segment === base?.key ? copy.number : null;
    },
  };
}

/** Uploads a segment, which nobody sees before a manifest names it. */
export async function uploadSegment(
  { store, table, publisher }: Pick<ColdParts, "store" | "table" | "publisher">,
  segment: {
    readonly key: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly documents: readonly DocumentVersion[];
    readonly passages: number;
  },
  signal: AbortSignal,
): Promise<ManifestSegment> {
  const { key, bytes, documents, passages } = segment;
  await store.putObject(key, bytes, signal);
  table.learn(key, documents);
  const size = { bytes: bytes.byteLength, passages, documents: documents.length };
  return { key, ...size, checksum: checksumOf(bytes), tombstones: [], ...publisher.cached() };
}

export function checksumOf(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(8, "0");
}
