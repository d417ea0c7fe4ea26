/** How far the log has been, kept apart from the database so that a restore does not pass unseen. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareFences, fenceSchema, type Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import { replaceAndShred } from "../sealing/shred.ts";

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

  /** On the disk when it returns. */
  note(head: Fence): void {
    if (this.#reached !== null && compareFences(head, this.#reached) === 0) return;
    replaceAndShred(this.#path, Buffer.from(JSON.stringify(head)));
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
 * sequences that it issues next (I26). Resolves with the new epoch, null when the reign goes on.
 */
export async function beginReign(sql: postgres.Sql, { reached }: ReachedHead): Promise<number | null> {
  if (reached === null) return null;
  const [row] = await sql`
    update log_head set epoch = greatest(epoch, ${reached.epoch}) + 1
    where (epoch, sequence) < (${reached.epoch}, ${reached.sequence}) returning epoch`;
  return row === undefined ? null : row["epoch"];
}
