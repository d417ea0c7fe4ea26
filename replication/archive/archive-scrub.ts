/** Reads an archive over and over: its names quickly, its objects slowly. */
import { leavesOf } from "@kattegat/engine/digests/digest-tree.ts";
import { keyDigitsOf } from "@kattegat/engine/digests/hashed-id.ts";
import { runScrub, type ScrubOptions } from "@kattegat/engine/digests/run-scrub.ts";
import { DEPTHS, SUSPECTS_MAX, type Depth } from "@kattegat/protocol/digests.ts";
import type { MonitorOptions } from "../stream-status.ts";
import type { Bucket } from "./bucket.ts";
import { inParallel } from "./in-parallel.ts";
import type { ListedDigests } from "./listed-digests.ts";
import { documentOf, parseKey, prefixOfDigits } from "./object-name.ts";
import type { ObjectVersion } from "./s3-answer.ts";
import { isDamaged } from "./stored-object.ts";

/** Requests at once: the streams have the other connections. */
export const CONCURRENT_MAX = 8;
/** Names of one range at most, four pages of a list; a sixteenth at least, since levels go by sixteen. */
const RANGE_NAMES = 4_000;
/** A range by which it is guessed how many names there are, before all were listed. */
const SAMPLE_DEPTH: Depth = 12;
/** Ranges that writes kept from being counted, for one step. */
const DOUBTED_MAX = 64;
/** Objects that could not be read so often are left, or everything behind them would never be read. */
const TRIES_MAX = 3;
/** Reading waits while so many wait to be looked at. */
const SUSPECTS_KEPT_MAX = 4 * SUSPECTS_MAX;
/** A list or a few each second: a million in seventeen minutes. */
const NAMES_PER_SECOND = 1_000;
const BITS_OF_DIGIT = 4;

export interface RangePlace {
  readonly depth: Depth;
  readonly index: number;
}

/** Resolves with what is listed of a range, which counts it. */
export async function listRange(
  { depth, index }: RangePlace,
  { bucket, digests }: { readonly bucket: Pick<Bucket, "versions">; readonly digests: ListedDigests },
  signal: AbortSignal,
): Promise<readonly ObjectVersion[]> {
  const listing = digests.listing(leavesOf(depth, index));
  const digits = depth === 0 ? "" : index.toString(16).padStart(depth / BITS_OF_DIGIT, "0");
  const listed = await Array.fromAsync(bucket.versions(prefixOfDigits(digits), signal));
  digests.count(listing, listed);
  return listed;
}

/** Goes once over the ranges of a level, from any of them on. */
interface Pass {
  readonly depth: Depth;
  readonly from: number;
  done: number;
}

type Scrubbed = "names" | "objects";

interface ScrubStep {
  readonly count: number;
  readonly isPassOver: boolean;
}

export class ArchiveScrub {
  readonly site: string;
  readonly #parts: { readonly bucket: Pick<Bucket, "versions" | "get">; readonly digests: ListedDigests };
  readonly #random: () => number;
  #names: Pass | null = null;
  #objects: Pass | null = null;
  /** Objects to read before the next range. */
  #queue: string[] = [];
  /** How often those at its head could not be read. */
  #tries = 0;
  #suspects = new Set<string>();
  /** What went wrong last, where nothing has gone right since. */
  readonly #failures = new Map<Scrubbed, unknown>();

  constructor(options: {
    readonly site: string;
    /** Its bytes are counted apart from those of comparisons. */
    readonly bucket: Pick<Bucket, "versions" | "get">;
    readonly digests: ListedDigests;
    readonly random: () => number;
  }) {
    this.site = options.site;
    this.#parts = options;
    this.#random = options.random;
  }

  get isWriting(): boolean {
    return this.#parts.digests.isWriting;
  }

  /** Undefined while they can be read. */
  failureOf(what: Scrubbed): unknown {
    return this.#failures.get(what);
  }

  /** Keys of documents whose objects look damaged, or could not be read, since the last call. */
  takeSuspects(): readonly string[] {
    const suspects = [...this.#suspects];
    this.#suspects = new Set();
    return suspects;
  }

  /** Lists the names of the next range, and of those that writes kept from being counted. */
  async listOn(signal: AbortSignal): Promise<ScrubStep> {
    return await this.#noting("names", async () => {
      const { digests } = this.#parts;
      let count = 0;
      const list = async (place: RangePlace): Promise<void> => {
        const { length } = await listRange(place, this.#parts, signal);
        count += length;
      };
      this.#names ??= await this.#newPass(signal);
      if (!isOver(this.#names)) {
        await list(placeOf(this.#names));
        this.#names.done += 1;
      }
      const doubts = digests.settledDoubts(DOUBTED_MAX);
      await inParallel(doubts, CONCURRENT_MAX, (index) => list({ depth: 16, index }));
      // Nothing can be compared before every range was counted once.
      const isWaiting = !digests.isWhole && digests.settledDoubts(1).length > 0;
      const isPassOver = isOver(this.#names) && !isWaiting;
      if (isPassOver) this.#names = null;
      return { count, isPassOver };
    });
  }

  /** Reads the next objects, to see whether they are as they were stored. */
  async readOn(signal: AbortSignal): Promise<ScrubStep> {
    if (this.#suspects.size >= SUSPECTS_KEPT_MAX) return { count: CONCURRENT_MAX, isPassOver: false };
    return await this.#noting("objects", async () => {
      const keys = this.#queue.splice(0, CONCURRENT_MAX);
      if (keys.length > 0) await this.#read(keys, signal);
      else if (this.#objects !== null && isOver(this.#objects)) {
        this.#objects = null;
        return { count: 0, isPassOver: true };
      } else await this.#queueOn(signal);
      return { count: keys.length, isPassOver: false };
    });
  }

  async #queueOn(signal: AbortSignal): Promise<void> {
    this.#objects ??= await this.#newPass(signal);
    const listed = await listRange(placeOf(this.#objects), this.#parts, signal);
    this.#queue = listed.flatMap(({ key, isLatest }) => (isLatest && parseKey(key) !== null ? [key] : []));
    this.#objects.done += 1;
  }

  /** What cannot be read hides nothing behind it: a round looks at it. Where none can be, they are read again, a few times. */
  async #read(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const failures = new Map<string, unknown>();
    await inParallel(keys, CONCURRENT_MAX, async (key) => {
      try {
        if ((await isDamaged(key, this.#parts.bucket, signal)) === true) this.#suspect(key);
      } catch (error) {
        failures.set(key, error);
      }
    });
    const isSilent = failures.size === keys.length && keys.length > 1;
    this.#tries = isSilent ? this.#tries + 1 : 0;
    const isLeft = this.#tries === TRIES_MAX;
    if (isLeft) this.#tries = 0;
    if (isSilent && !isLeft) this.#queue.unshift(...keys);
    else for (const key of failures.keys()) this.#suspect(key);
    if (isSilent) throw failures.values().next().value;
  }

  #suspect(key: string): void {
    const document = documentOf(key);
    if (document !== null) this.#suspects.add(keyDigitsOf(document));
  }

  /** From another range each time: a process that is started often reads all of them by and by. */
  async #newPass(signal: AbortSignal): Promise<Pass> {
    const names = await this.#countNames(signal);
    const depth = DEPTHS.find((each) => names <= RANGE_NAMES << each) ?? 16;
    return { depth, from: Math.floor(this.#random() * 2 ** depth), done: 0 };
  }

  async #countNames(signal: AbortSignal): Promise<number> {
    const { digests } = this.#parts;
    if (digests.isWhole) return digests.tree.documents;
    const sample = await listRange({ depth: SAMPLE_DEPTH, index: 0 }, this.#parts, signal);
    return sample.length * 2 ** SAMPLE_DEPTH;
  }

  async #noting(what: Scrubbed, work: () => Promise<ScrubStep>): Promise<ScrubStep> {
    try {
      const step = await work();
      this.#failures.delete(what);
      return step;
    } catch (error) {
      this.#failures.set(what, error);
      throw error;
    }
  }
}

function placeOf({ depth, from, done }: Pass): RangePlace {
  return { depth, index: (from + done) % 2 ** depth };
}

function isOver({ depth, done }: Pass): boolean {
  return done === 2 ** depth;
}

export interface ArchiveScrubOptions extends Pick<ScrubOptions, "passMsMin" | "now" | "sleep"> {
  readonly objectsPerSecond: number;
  readonly log: MonitorOptions["log"];
}

/** Resolves when the signal has aborted. */
export async function scrubArchive(
  scrub: ArchiveScrub,
  { objectsPerSecond, log, ...options }: ArchiveScrubOptions,
  signal: AbortSignal,
): Promise<void> {
  const paced = {
    ...options,
    isBusy: () => scrub.isWriting,
    failed: (error: unknown) => log.warn({ target: scrub.site, err: error }, "the bucket could not be read"),
  };
  await Promise.all([
    runScrub({ ...paced, scrub: (until) => scrub.listOn(until), perSecond: NAMES_PER_SECOND }, signal),
    runScrub({ ...paced, scrub: (until) => scrub.readOn(until), perSecond: objectsPerSecond }, signal),
  ]);
}
