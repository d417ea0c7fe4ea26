/** Reads what a zone's bucket holds: every manifest, every object that one names. */
import { piecesOf, type ReadObject } from "@kattegat/engine/cold/base/object-pieces.ts";
import { openDocuments } from "@kattegat/engine/cold/base/documents/document-part.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ColdManifest, ManifestBase, ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { openSegment } from "@kattegat/engine/cold/segment.ts";
import { editionName } from "@kattegat/engine/embedding/edition.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { CopyLine, StoreLine } from "@kattegat/protocol/holdings.ts";
import { createColdStore } from "@kattegat/replication/cold-store.ts";
import type { SiteClient } from "@kattegat/replication/site-client.ts";

/** Names no copies; the store asks it for those that there are. */
const NO_EDITION = { model: "none", dimensions: 1 };

/** @throws {ColdFormatError} for an object that is damaged, {KattegatError} for one that is gone. */
export async function* readColdCopies(
  client: SiteClient,
  { scanner, signal }: { readonly scanner: Scanner; readonly signal: AbortSignal },
): AsyncGenerator<StoreLine | CopyLine> {
  const first = createColdStore(client, NO_EDITION);
  const read: ReadObject = (key, offset, length) => first.readObject(key, { offset, length }, signal);
  for (const edition of await first.editions(signal)) {
    const held = await first.ofEdition(edition).readManifest(signal);
    if (held === null) continue;
    const { manifest } = held;
    const store = `manifest ${editionName(edition)}`;
    const { model, watermark, whole_at } = manifest;
    yield { kind: "store", store, model, ...watermark, whole_at: whole_at ?? null };
    for await (const copy of copiesIn(manifest, { read, scanner })) yield { kind: "copy", store, ...copy };
  }
}

type Copy = Omit<CopyLine, "kind" | "store">;

async function* copiesIn(
  { base, segments }: ColdManifest,
  { read, scanner }: { readonly read: ReadObject; readonly scanner: Scanner },
): AsyncGenerator<Copy> {
  if (base !== null) yield* copiesInBase(base, read);
  for (const segment of segments) yield* copiesInSegment(segment, { read, scanner });
}

async function* copiesInSegment(
  { key, bytes, checksum, tombstones }: ManifestSegment,
  { read, scanner }: { readonly read: ReadObject; readonly scanner: Scanner },
): AsyncGenerator<Copy> {
  const hidden = new Set(tombstones);
  const opened = await openSegment((offset, length) => read(key, offset, length), {
    scanner,
    totalBytes: bytes,
    checksum,
  });
  for (const { documentId, version, epoch, residency, passages } of opened.documents())
    yield {
      document_id: documentId,
      version,
      epoch,
      class: residency,
      digest: null,
      passages,
      hidden: hidden.has(documentId),
    };
}

/** Of a base the hits are read, which say the class of each row; neither texts nor vectors. */
async function* copiesInBase(base: ManifestBase, readObject: ReadObject): AsyncGenerator<Copy> {
  const root = await readObject(rootKey(base), 0, base.root.bytes);
  const part = openDocuments(decodeSectionFile(root, ROOT_KIND));
  const dead = new Set(decodeNumbers(base.tombstones));
  const read = piecesOf({ key: base.key }, readObject);
  let row = 0;
  for await (const { documentId, version, epoch, residency } of part.readRows(
    { from: 0, to: part.rows },
    read,
  )) {
    const hidden = dead.has(part.documentOf(row));
    row += 1;
    yield { document_id: documentId, version, epoch, class: residency, digest: null, passages: 1, hidden };
  }
}
