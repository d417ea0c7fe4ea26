/** What is kept in memory, level with the log. */
import type postgres from "postgres";
import type { CommittedGroup } from "../documents/transaction.ts";
import { AppliedLog, type LogHead } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import type { Memory } from "./rebuild.ts";

/** Keeps something else level with the log. */
export interface Follower {
  apply(group: CommittedGroup): Promise<void>;
  /** The log was read anew: what came meanwhile was not heard of. */
  restart(): Promise<void>;
}

export class LiveMemory {
  readonly applied: AppliedLog;
  /** Null without a model that is being prepared. */
  follower: Follower | null = null;
  readonly #rebuild: () => Promise<Memory>;
  #memory: Memory;
  #alone: Promise<unknown> = Promise.resolve();

  private constructor(memory: Memory, rebuild: () => Promise<Memory>) {
    this.#memory = memory;
    this.#rebuild = rebuild;
    this.applied = new AppliedLog(headOf(memory));
  }

  static async open(rebuild: () => Promise<Memory>): Promise<LiveMemory> {
    return new LiveMemory(await rebuild(), rebuild);
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** Resolves with how many passages came or went; the log's head moves when all of the group is in place. */
  async apply(group: CommittedGroup, pacer: Pacer): Promise<number> {
    const { statistics, counts, index } = this.#memory;
    let changed = group.removed.length;
    for (const sparse of group.removed) statistics.remove(sparse);
    for (const effect of group.effects) {
      counts.replace(effect);
      const passages = effect.content?.passages ?? [];
      for (const { sparse } of passages) statistics.add(sparse);
      changed += passages.length;
      await index.apply(effect, { loaded: group.loaded, pacer });
      await pacer.breathe();
    }
    await this.follower?.apply(group);
    if (group.head !== null) this.applied.advance(group.head);
    return changed;
  }

  /** Resolves with whether Postgres was ahead, which a commit of unknown fate brings about; then everything is read again. */
  recover(sql: postgres.Sql): Promise<boolean> {
    return this.alone(async () => {
      const [row] = await sql`select sequence from log_head`;
      if (row?.["sequence"] === this.applied.head.fence.sequence) return false;
      const previous = this.#memory;
      this.#memory = await this.#rebuild();
      previous.index.base?.leave();
      await this.follower?.restart();
      this.applied.advance(headOf(this.#memory));
      return true;
    });
  }

  /** Resolves when the work is done, during which memory stays the same one and no other such work runs. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#alone.then(work, work);
    this.#alone = done;
    return done;
  }
}

function headOf({ head }: Memory): LogHead {
  return { fence: { epoch: head.epoch, sequence: head.sequence }, at: head.at };
}
