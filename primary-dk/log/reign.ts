/** How far the log has been, kept apart from the database so that a restore does not pass unseen. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compareFences, fenceSchema, type Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";

const FILE = "log-head";

/** One fence beside the keyring, which is kept as one current state while the database may go back to a backup. */
export class ReachedHead {
  readonly #path: string;
  #reached: Fence | null;

  constructor(folder: string) {
    this.#path = join(folder, FILE);
    this.#reached = existsSync(this.#path) ? readFence(this.#path) : null;
  }

  /** Null before anything was noted. */
  get reached(): Fence | null {
    return this.#reached;
  }

  /** Resolves when it is on the disk. */
  async note(head: Fence): Promise<void> {
    if (this.#reached !== null && compareFences(head, this.#reached) === 0) return;
    // A name of its own: a former primary may still be writing, too.
    const draft = `${this.#path}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(head), { flush: true });
    await rename(draft, this.#path);
    this.#reached = head;
  }
}

function readFence(path: string): Fence {
  try {
    return fenceSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Error(
      `expected at ${path} how far the log was, as {"epoch": 1, "sequence": "204"}; restore the file from the newest copy of the keyring's folder`,
      { cause },
    );
  }
}

/**
 * Begins a reign of its own when the log is not as far as it was: sites may have changes that this log will never have, under the
 * sequences that it issues next (I26). Resolves with where it begins, null when the reign goes on.
 */
export async function beginReign(sql: postgres.Sql, head: ReachedHead): Promise<Fence | null> {
  const { reached } = head;
  if (reached === null) return null;
  const [row] = await sql`
    update log_head set epoch = greatest(epoch, ${reached.epoch}) + 1
    where (epoch, sequence) < (${reached.epoch}, ${reached.sequence}) returning epoch, sequence`;
  if (row === undefined) return null;
  const begun: Fence = { epoch: row["epoch"], sequence: row["sequence"] };
  // Before any change: the same backup may be restored once more.
  await head.note(begun);
  return begun;
}
