/** The Merkle tree over the entries in Postgres. */
import type postgres from "postgres";
import { EMPTY_ROOT, nodeHash, splitOf, type Hash } from "./merkle.ts";

/** Roots of whole subtrees are stored at each eighth level: a proof reads a few blocks of 256 hashes. */
const LEVEL_STEP = 8;
const BLOCK = 256;

/** Hashes of one state of the ledger, read by need and kept for as long as this object. */
export class LogTree {
  readonly #sql: postgres.Sql | postgres.TransactionSql;
  readonly #blocks = new Map<string, readonly Hash[]>();

  constructor(sql: postgres.Sql | postgres.TransactionSql) {
    this.#sql = sql;
  }

  /** The root of the first `size` entries. */
  async root(size: number): Promise<Hash> {
    return size === 0 ? EMPTY_ROOT : await this.#hash(0, size);
  }

  /** The audit path of an entry among the first `size`, from its sibling up. */
  async path(index: number, size: number): Promise<readonly Hash[]> {
    return await this.#path(index, 0, size);
  }

  /** Stores the roots of subtrees that became whole when the ledger grew from one size to another. */
  async grow(from: number, to: number): Promise<void> {
    for (let level = LEVEL_STEP, width = BLOCK; width <= to; level += LEVEL_STEP, width *= BLOCK)
      for (let index = Math.floor(from / width); (index + 1) * width <= to; index += 1) {
        const hash = await this.#whole(index * width, width);
        await this.#sql`
          insert into ledger_nodes (level, index, hash) values (${level}, ${String(index)}, ${hash})
          on conflict do nothing`;
      }
  }

  async #path(index: number, from: number, to: number): Promise<readonly Hash[]> {
    if (to - from <= 1) return [];
    const split = from + splitOf(to - from);
    return index < split
      ? [...(await this.#path(index, from, split)), await this.#hash(split, to)]
      : [...(await this.#path(index, split, to)), await this.#hash(from, split)];
  }

  async #hash(from: number, to: number): Promise<Hash> {
    const stored = await this.#stored(from, to - from);
    return stored ?? (await this.#whole(from, to - from));
  }

  async #whole(from: number, width: number): Promise<Hash> {
    if (width === 1) {
      const leaf = await this.#stored(from, 1);
      if (leaf === null) throw new RangeError(`expected entry ${from} in the ledger`);
      return leaf;
    }
    const split = from + splitOf(width);
    return nodeHash(await this.#hash(from, split), await this.#hash(split, from + width));
  }

  /** Null for a subtree whose root is not stored. */
  async #stored(from: number, width: number): Promise<Hash | null> {
    const level = Math.log2(width);
    if (!Number.isInteger(level) || level % LEVEL_STEP !== 0 || from % width !== 0) return null;
    const index = from / width;
    const block = await this.#block(level, Math.floor(index / BLOCK));
    return block[index % BLOCK] ?? null;
  }

  async #block(level: number, number: number): Promise<readonly Hash[]> {
    const name = `${level} ${number}`;
    const known = this.#blocks.get(name);
    if (known !== undefined) return known;
    const first = number * BLOCK;
    const rows =
      level === 0
        ? await this.#sql`select leaf as hash from ledger_entries where index >= ${first} and index < ${first + BLOCK} order by index`
        : await this.#sql`select hash from ledger_nodes where level = ${level} and index >= ${first} and index < ${first + BLOCK} order by index`;
    const hashes = rows.map((row): Hash => row["hash"]);
    this.#blocks.set(name, hashes);
    return hashes;
  }
}
