/** The digests of what a bucket's manifest shows, from the objects themselves. */
import type { Model } from "@kattegat/config/models.ts";
import type { ReadObject } from "@kattegat/engine/cold/base/object-pieces.ts";
import { ColdFormatError } from "@kattegat/engine/cold/format-error.ts";
import { parseManifest, type ColdManifest, type ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree } from "@kattegat/engine/digests/digest-tree.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import {
  SUSPECTS_MAX,
  decodeKey,
  encodeDigests,
  encodeLines,
  type CopiesResponse,
  type CopyPlace,
  type LinesResponse,
  type Ranges,
  type RangesResponse,
  type ScrubPlace,
  type ScrubResponse,
} from "@kattegat/protocol/digests.ts";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import { readManifestOf } from "../cold/manifests.ts";
import { openColdBase, openColdSegment, readerOf, type ColdObject } from "./cold-object.ts";
import { CopyReading } from "./copy-reading.ts";
import { ListedCopies } from "./listed-copies.ts";
import { ROWS_MAX } from "./rows-limit.ts";

export interface ZoneDigestOptions {
  readonly bucket: R2Bucket;
  readonly model: Model;
  readonly scanner: Scanner;
}

interface Shown {
  readonly etag: string;
  readonly manifest: ColdManifest | null;
  readonly tree: DigestTree;
  /** By the object that lists them. */
  readonly listed: ReadonlyMap<string, ListedCopies>;
}

/** A copy that cannot be listed is as good as lost: an object that cannot be opened adds nothing. */
export class ZoneDigests {
  readonly #options: ZoneDigestOptions;
  readonly #read: ReadObject;
  /** Immutable, and the costly part: some seconds for half a million documents. */
  #base: { readonly key: string; readonly copies: ListedCopies } | null = null;
  #shown: Shown | null = null;

  constructor(options: ZoneDigestOptions) {
    this.#options = options;
    this.#read = readerOf(options.bucket);
  }

  async ranges({ depth, indexes }: Ranges): Promise<RangesResponse> {
    const { tree, manifest } = await this.#current();
    const digests = encodeDigests(indexes.map((index) => tree.at(depth, index).sum));
    return { position: manifest?.watermark ?? FENCE_ZERO, documents: tree.documents, digests };
  }

  async lines({ depth, indexes }: Ranges): Promise<LinesResponse> {
    const { manifest, listed } = await this.#current();
    const wanted = new Set(indexes);
    const dead = deadIn(manifest?.base ?? null);
    const lines = [...listed].flatMap(([key, copies]) =>
      [...copies.linesIn(depth, wanted)].filter(
        ({ number }) => key !== manifest?.base?.key || !dead.has(number),
      ),
    );
    return { position: manifest?.watermark ?? FENCE_ZERO, lines: encodeLines(lines) };
  }

  /** Reads every passage of the copies, as far as one answer goes. */
  async copies(asked: {
    readonly keys: readonly string[];
    readonly documents: readonly string[];
    readonly from?: CopyPlace | undefined;
  }): Promise<CopiesResponse> {
    const { manifest, listed } = await this.#current();
    const keys = new Set([...asked.keys.map(decodeKey), ...asked.documents.map(keyOf)]);
    const dead = deadIn(manifest?.base ?? null);
    const reading = new CopyReading(asked.from ?? null);
    const begun = asked.from?.object;
    const objects = [...listed].toSorted(([a], [b]) => Number(b === begun) - Number(a === begun));
    for (const [key, documents] of objects) {
      const isBase = key === manifest?.base?.key;
      const wanted = documents.among(keys).filter(({ number }) => !isBase || !dead.has(number));
      if (wanted.length > 0) await reading.read(wanted, () => this.#open(manifest, key));
    }
    return { position: manifest?.watermark ?? FENCE_ZERO, ...reading.found };
  }

  /**
   * Reads so many rows from a place on, as far as one answer goes.
   *
   * A place that the manifest no longer names is the beginning.
   */
  async scrub({
    from,
    rows,
  }: {
    readonly from: ScrubPlace | null;
    readonly rows: number;
  }): Promise<ScrubResponse> {
    const { manifest } = await this.#current();
    const keys = keysIn(manifest);
    const at = Math.max(0, keys.indexOf(from?.object ?? ""));
    const key = keys[at];
    if (key === undefined) return { next: null, rows: 0, suspects: [] };
    const first = from?.object === key ? from.row : 0;
    const following = keys[at + 1];
    const nextObject = following === undefined ? null : { object: following, row: 0 };
    const object = await this.#open(manifest, key);
    if (object === null) return { next: nextObject, rows: 0, suspects: [] };
    const end = Math.min(object.rows, first + Math.min(rows, ROWS_MAX));
    const read = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
    const damaged = new Set(
      (await object.readRows(read)).filter(({ isDamaged }) => isDamaged).map(({ row }) => row),
    );
    const suspects = damaged.size === 0 ? [] : await namesOf(object, damaged);
    return {
      next: end < object.rows ? { object: key, row: end } : nextObject,
      rows: read.length,
      suspects: suspects.slice(0, SUSPECTS_MAX),
    };
  }

  /** The state of the bucket, not of a cache in front of it. */
  async #current(): Promise<Shown> {
    const { bucket, model } = this.#options;
    const object = await readManifestOf(bucket, model);
    if (object === null) return { etag: "", manifest: null, tree: new DigestTree(), listed: new Map() };
    if (this.#shown?.etag === object.etag) return this.#shown;
    const manifest = parseManifest(await object.text());
    const listed = new Map<string, ListedCopies>();
    const tree = await this.#baseTree(manifest.base, listed);
    for (const segment of manifest.segments) {
      const opened = await this.#open(manifest, segment.key);
      if (opened === null) continue;
      const copies = new ListedCopies(tree);
      for await (const document of opened.documents()) if (!opened.isHidden(document)) copies.add(document);
      listed.set(segment.key, copies);
    }
    this.#shown = { etag: object.etag, manifest, tree, listed };
    return this.#shown;
  }

  async #baseTree(base: ManifestBase | null, listed: Map<string, ListedCopies>): Promise<DigestTree> {
    if (base === null) return new DigestTree();
    const copies = await this.#baseCopies(base);
    if (copies === null) return new DigestTree();
    listed.set(base.key, copies);
    const tree = copies.tree.clone();
    for (const number of deadIn(base)) copies.removeFrom(tree, number);
    return tree;
  }

  async #baseCopies(base: ManifestBase): Promise<ListedCopies | null> {
    if (this.#base?.key === base.key) return this.#base.copies;
    const copies = await orNothing(async () => {
      const opened = await openColdBase(base, this.#read);
      const all = new ListedCopies();
      for await (const document of opened.documents()) all.add(document);
      return all;
    });
    if (copies !== null) this.#base = { key: base.key, copies };
    return copies;
  }

  #open(manifest: ColdManifest | null, key: string): Promise<ColdObject | null> {
    return orNothing(async () => {
      if (manifest?.base?.key === key) return await openColdBase(manifest.base, this.#read);
      const segment = manifest?.segments.find((each) => each.key === key);
      if (segment === undefined) throw new ColdFormatError(`expected ${key} in the manifest`);
      return await openColdSegment(segment, { read: this.#read, scanner: this.#options.scanner });
    });
  }
}

function keysIn(manifest: ColdManifest | null): readonly string[] {
  if (manifest === null) return [];
  const base = manifest.base === null ? [] : [manifest.base.key];
  return [...base, ...manifest.segments.map(({ key }) => key)];
}

function deadIn(base: ManifestBase | null): ReadonlySet<number> {
  return new Set(base === null ? [] : decodeNumbers(base.tombstones));
}

/** Null for what is missing or damaged. */
async function orNothing<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ColdFormatError) return null;
    throw error;
  }
}

async function namesOf(object: ColdObject, rows: ReadonlySet<number>): Promise<string[]> {
  const numbers = new Set([...rows].map((row) => object.documentOf(row)));
  const names: string[] = [];
  for await (const document of object.documents())
    if (numbers.has(document.number) && !object.isHidden(document)) names.push(document.documentId);
  return names;
}
