/** The digests of the copies that the log plans at each target. */
import type { Network, Site } from "@kattegat/config/network.ts";
import { copyDigest, keyOf, listedDigest, namedDigest, sumOf } from "@kattegat/engine/digests/copy-digest.ts";
import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { DigestTree, leavesOf, rangeOf, type RangeDigest } from "@kattegat/engine/digests/digest-tree.ts";
import { DEPTHS, type Depth } from "@kattegat/protocol/digests.ts";
import type { CommittedEffect } from "../documents/operation.ts";

/** The part of a document's state that its digests are made of. */
export interface PlannedDocument {
  readonly id: string;
  readonly version: string;
  readonly residency: string;
  readonly digest: string;
  readonly passage_count: number;
  readonly held: readonly string[];
}

/** What a leaf was counted to be. */
export interface CountedLeaf {
  readonly leaf: number;
  readonly documents: readonly PlannedDocument[];
}

/** What a site of a kind is to hold, as its store tells it. */
interface Form {
  readonly digest: (document: PlannedDocument) => bigint;
  /** Whether a document without passages is held, too. */
  readonly isWithoutPassages: boolean;
}

const FORMS: Readonly<Partial<Record<Site["kind"], Form>>> = {
  regional: { digest: fullForm, isWithoutPassages: false },
  edge: { digest: listedForm, isWithoutPassages: false },
  archive: { digest: namedForm, isWithoutPassages: true },
};

const FINEST: Depth = DEPTHS[4];
const LEAVES = leavesOf(0, 0).to;

interface Target extends Form {
  readonly tree: DigestTree;
}

/** 1.7 MB for each target and 600 kB, however many documents there are. */
export class PlannedDigests {
  readonly #targets: ReadonlyMap<string, Target>;
  /** The last change in each leaf since the start. */
  readonly #touchedAt = new BigUint64Array(LEAVES);
  readonly #isCounted = new Uint8Array(LEAVES);
  #counted = 0;
  #restarts = 0;
  /** Leaves of which it is not sure what was planned before a change. */
  readonly #doubted = new Set<number>();

  constructor(network: Network) {
    this.#targets = new Map(
      network.sites.flatMap(({ id, kind, running }) => {
        const form = FORMS[kind];
        if (!running || form === undefined) return [];
        return [[id, { ...form, tree: new DigestTree() }] as const];
      }),
    );
  }

  /** Whether every leaf was counted since the start, or since memory was lost. */
  get isWhole(): boolean {
    return this.#counted === LEAVES;
  }

  /** How often memory went another way than through changes. */
  get restarts(): number {
    return this.#restarts;
  }

  get doubted(): ReadonlySet<number> {
    return this.#doubted;
  }

  /** Null for a site that is no target. */
  treeOf(site: string): DigestTree | null {
    return this.#targets.get(site)?.tree ?? null;
  }

  /** The digest of a copy as the target's store tells it; null where none is planned. */
  digestAt(site: string, document: PlannedDocument): bigint | null {
    const target = this.#targets.get(site);
    return target !== undefined && isPlanned(document, site, target) ? target.digest(document) : null;
  }

  changed(effects: readonly CommittedEffect[]): void {
    for (const { before, after, sequence, repaired } of effects) {
      const id = after?.id ?? before?.id;
      if (id === undefined) continue;
      const key = keyOf(id);
      const leaf = rangeOf(key, FINEST);
      this.#touchedAt[leaf] = BigInt(sequence);
      // A repair names sites as former holders that were none.
      if (repaired === true) this.#doubted.add(leaf);
      else this.#replace(key, before, after);
    }
  }

  /**
   * Sets a leaf to what Postgres had of it at `sequence`, when memory is there too; one that was changed meanwhile stays.
   *
   * @param options.restarts - from before Postgres was read.
   * @returns whether it was set.
   */
  count(
    { leaf, documents }: CountedLeaf,
    { sequence, restarts }: { readonly sequence: string; readonly restarts: number },
  ): boolean {
    if (restarts !== this.#restarts || (this.#touchedAt[leaf] ?? 0n) > BigInt(sequence)) return false;
    for (const [site, { tree }] of this.#targets) tree.setLeaf(leaf, this.#rangeAt(site, documents));
    this.#counted += this.#isCounted[leaf] === 0 ? 1 : 0;
    this.#isCounted[leaf] = 1;
    this.#doubted.delete(leaf);
    return true;
  }

  /** Whether no document of the same leaf was written to after `sequence`. */
  isUntouchedSince(id: string, sequence: string): boolean {
    return (this.#touchedAt[rangeOf(keyOf(id), FINEST)] ?? 0n) <= BigInt(sequence);
  }

  /** Memory went another way than through changes: everything is counted anew. */
  restart(): void {
    this.#restarts += 1;
    this.#isCounted.fill(0);
    this.#counted = 0;
  }

  #replace(key: bigint, before: PlannedDocument | null, after: PlannedDocument | null): void {
    for (const [site, { tree }] of this.#targets) {
      const was = before === null ? null : this.digestAt(site, before);
      const is = after === null ? null : this.digestAt(site, after);
      if (was !== null) tree.remove(key, was);
      if (is !== null) tree.add(key, is);
    }
  }

  #rangeAt(site: string, documents: readonly PlannedDocument[]): RangeDigest {
    const digests = documents.flatMap((document) => this.digestAt(site, document) ?? []);
    return { sum: digests.reduce(sumOf, 0n), documents: digests.length };
  }
}

function isPlanned(document: PlannedDocument, site: string, { isWithoutPassages }: Form): boolean {
  return (document.passage_count > 0 || isWithoutPassages) && document.held.includes(site);
}

function fullForm({ id, version, residency, digest, passage_count: passages }: PlannedDocument): bigint {
  return copyDigest({ documentId: id, version, residency, digest, passages });
}

function listedForm({ id, version }: PlannedDocument): bigint {
  return listedDigest(id, version);
}

function namedForm({ id, version, residency, digest }: PlannedDocument): bigint {
  return namedDigest({ document: hashedId(id), version, residency, digest });
}
