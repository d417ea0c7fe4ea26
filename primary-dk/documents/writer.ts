/** Groups the writes of all requests into few transactions, one after the other. */
import { setImmediate } from "node:timers/promises";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { isRolledBack, refusalOf, unavailable } from "../postgres/failure.ts";
import type { DocumentContent } from "./content.ts";
import type { PreparedOperation, WriteOperation } from "./operation.ts";
import { workCharacters } from "./passage-work.ts";
import type { PreparedPassage } from "./passages.ts";
import type { CommittedGroup, Fate } from "./transaction.ts";

/** Larger groups write no faster on two cores, and each write waits for its whole group. */
const GROUP_OPERATIONS_MAX = 1_024;
/** About 1,500 passages: half a second of one core for analysis, embedding and COPY. */
const GROUP_CHARACTERS_MAX = 1_000_000;
/** Four groups: what may wait in memory before submitters are made to wait. */
const WAITING_OPERATIONS_MAX = 4_096;
/** Two of the largest bodies. */
const WAITING_CHARACTERS_MAX = 32 * 1_024 * 1_024;

export interface WriterOptions {
  /** Digests of the documents that exist. */
  readonly digests: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly prepare: (operation: WriteOperation) => Promise<readonly PreparedPassage[] | null>;
  readonly commit: (group: readonly PreparedOperation[]) => Promise<CommittedGroup>;
  /** Called after each commit, before its writes are acknowledged, in log order. */
  readonly apply: (group: CommittedGroup) => Promise<void>;
  /** Called when a commit's fate is unknown, before the next one: brings memory level with Postgres. */
  readonly recover: () => Promise<void>;
  /** Called at the end, when nothing is prepared any more. */
  readonly release?: () => Promise<void>;
  readonly report: (error: unknown) => void;
}

interface Waiting {
  readonly operation: WriteOperation;
  readonly size: number;
  /** Its passages are made even when the digest looks the same. */
  readonly forced: boolean;
  readonly resolve: (fate: AcceptedFate) => void;
  readonly reject: (error: unknown) => void;
}

export type AcceptedFate = Extract<Fate, { readonly kind: "effect" | "nothing" }>;

/** The caller's own passages can be all of a document, or a part of its text. */
function sizeOf(content: DocumentContent): number {
  return Math.max(content.text.length, workCharacters(content));
}

interface Prepared {
  readonly item: Waiting;
  readonly prepared: PreparedOperation;
}

export class Writer {
  readonly #options: WriterOptions;
  #waiting: Waiting[] = [];
  #characters = 0;
  readonly #room: (() => void)[] = [];
  #running: Promise<void> | null = null;
  #committing: Promise<void> = Promise.resolve();
  #doubtful = false;
  #closed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the write is committed and a search that starts afterwards sees it.
   *
   * @throws {KattegatError} what refused this operation; its neighbours in the group are not touched.
   */
  async submit(operation: WriteOperation): Promise<AcceptedFate> {
    const size = operation.kind === "put" ? sizeOf(operation.content) : 0;
    while (
      this.#waiting.length >= WAITING_OPERATIONS_MAX ||
      (this.#waiting.length > 0 && this.#characters + size > WAITING_CHARACTERS_MAX)
    ) {
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    if (this.#closed) throw new KattegatError("not_ready", "The primary is stopping; repeat the write.");
    return await new Promise<AcceptedFate>((resolve, reject) => {
      this.#enqueue({ operation, size, forced: false, resolve, reject });
    });
  }

  /** Resolves when every accepted write is committed; later ones are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running !== null) await this.#running;
    await this.#options.release?.();
  }

  #enqueue(item: Waiting): void {
    this.#waiting.push(item);
    this.#characters += item.size;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0) this.#enqueueNothing();
    });
  }

  #enqueueNothing(): void {
    const item = this.#waiting.pop();
    if (item === undefined) return;
    this.#characters -= item.size;
    this.#enqueue(item);
  }

  /** Prepares one group while the one before it commits: analysis and Postgres each have a core. */
  async #run(): Promise<void> {
    // The lines of one body come together: the first of them alone would be a commit, and a batch at each site, of its own.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const group = await this.#prepare(this.#take());
      await this.#committing;
      this.#committing = this.#commit(group);
      // A commit alone answers at once; under load the next group fills meanwhile.
      if (this.#waiting.length === 0) await this.#committing;
    }
    await this.#committing;
  }

  #take(): Waiting[] {
    const group: Waiting[] = [];
    const left: Waiting[] = [];
    const ids = new Set<string>();
    let characters = 0;
    for (const item of this.#waiting) {
      const isFull =
        group.length >= GROUP_OPERATIONS_MAX ||
        (group.length > 0 && characters + item.size > GROUP_CHARACTERS_MAX);
      // Once full, nothing passes what waits before it; the same id twice is two groups, each with its version.
      if (isFull || left.length > 0 || ids.has(item.operation.id)) {
        left.push(item);
        continue;
      }
      group.push(item);
      ids.add(item.operation.id);
      characters += item.size;
    }
    this.#waiting = left;
    this.#characters -= characters;
    for (const wake of this.#room.splice(0)) wake();
    return group;
  }

  async #prepare(group: readonly Waiting[]): Promise<Prepared[]> {
    const puts = group
      .filter(({ operation }) => operation.kind === "put")
      .map(({ operation }) => operation.id);
    const digests =
      puts.length === 0
        ? new Map<string, string>()
        : await this.#options.digests(puts).catch(() => new Map<string, string>());
    // All at once: a thread that makes them has the next at hand when one is done.
    const made = await Promise.allSettled(
      group.map(({ operation, forced }) => {
        const isSame =
          operation.kind === "put" && digests.get(operation.id) === operation.content.digest && !forced;
        return isSame ? Promise.resolve(null) : this.#options.prepare(operation);
      }),
    );
    const ready: Prepared[] = [];
    for (const [index, item] of group.entries()) {
      const outcome = made[index];
      if (outcome?.status === "fulfilled")
        ready.push({ item, prepared: { operation: item.operation, passages: outcome.value } });
      else item.reject(outcome?.reason);
    }
    return ready;
  }

  async #commit(group: readonly Prepared[]): Promise<void> {
    if (group.length === 0) return;
    try {
      if (this.#doubtful) await this.#options.recover();
      this.#doubtful = false;
    } catch (error) {
      for (const { item } of group) item.reject(unavailable(error));
      return;
    }
    let committed: CommittedGroup;
    try {
      committed = await this.#options.commit(group.map(({ prepared }) => prepared));
    } catch (error) {
      await this.#fail(group, error);
      return;
    }
    try {
      await this.#options.apply(committed);
    } catch (error) {
      // Committed, but memory is not level with it.
      this.#doubtful = true;
      this.#options.report(error);
      for (const { item } of group) item.reject(unavailable(error));
      return;
    }
    for (const [index, { item }] of group.entries()) this.#settle(item, committed.fates[index]);
  }

  #settle(item: Waiting, fate: Fate | undefined): void {
    if (fate === undefined) item.reject(new RangeError("an operation of a committed group has no fate"));
    else if (fate.kind === "refused") item.reject(fate.error);
    else if (fate.kind === "unprepared") this.#enqueue({ ...item, forced: true });
    else item.resolve(fate);
  }

  /** What Postgres rolled back is tried one by one; after anything else the fate of the commit is unknown. */
  async #fail(group: readonly Prepared[], error: unknown): Promise<void> {
    if (isRolledBack(error) && group.length > 1) {
      for (const single of group) await this.#commit([single]);
      return;
    }
    this.#options.report(error);
    if (!isRolledBack(error)) this.#doubtful = true;
    const refusal = isRolledBack(error) ? refusalOf(error) : unavailable(error);
    for (const { item } of group) item.reject(refusal);
  }
}
