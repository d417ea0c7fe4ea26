/** Copies in memory, as either side of a comparison tells them. */
import { copyDigest, keyOf, type CopyContent } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { encodeKey, type FoundCopy, type PlannedCopy, type Ranges } from "@kattegat/protocol/digests.ts";

interface Stored extends CopyContent {
  readonly sequence: number;
}

export class Side {
  readonly copies = new Map<string, Stored>();
  sequence = 0;

  put(documentId: string, sequence: number): void {
    const version = String(sequence);
    const content = { documentId, version, residency: "eu", digest: `d${sequence}`, passages: 2 };
    this.copies.set(documentId, { ...content, sequence });
  }

  get position() {
    return { epoch: 1, sequence: String(this.sequence) };
  }

  ranges({ depth, indexes }: Ranges) {
    const tree = new DigestTree();
    for (const copy of this.copies.values()) tree.add(keyOf(copy.documentId), copyDigest(copy));
    const digests = indexes.map((index) => tree.at(depth, index).sum);
    return Promise.resolve({ documents: tree.documents, digests });
  }

  lines({ depth, indexes }: Ranges) {
    const lines = [...this.copies.values()].map(
      (copy) => [keyOf(copy.documentId), copyDigest(copy)] as const,
    );
    return Promise.resolve(new Map(lines.filter(([key]) => indexes.includes(rangeOf(key, depth)))));
  }

  planned(keys: readonly string[]) {
    const copies = [...this.copies.values()].flatMap((copy): PlannedCopy[] => {
      const { documentId, version, residency, digest, passages, sequence } = copy;
      const key = encodeKey(keyOf(documentId));
      const planned = { key, document_id: documentId, version, class: residency, digest, passages };
      return keys.includes(key) ? [{ ...planned, sequence: String(sequence) }] : [];
    });
    return { position: this.position, copies, others: [] };
  }

  named(keys: readonly string[]) {
    return [...this.copies.keys()].filter((id) => keys.includes(encodeKey(keyOf(id))));
  }

  found({ keys, documents }: { readonly keys: readonly string[]; readonly documents: readonly string[] }) {
    const copies = [...this.copies.values()].flatMap((copy): FoundCopy[] => {
      const { documentId, version, residency, digest, passages } = copy;
      const isAsked = documents.includes(documentId) || keys.includes(encodeKey(keyOf(documentId)));
      const found = { document_id: documentId, version, class: residency, digest, passages };
      return isAsked ? [{ ...found, damaged: 0 }] : [];
    });
    return { position: this.position, copies, hashed: [] };
  }
}
