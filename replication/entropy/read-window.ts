/** Which of the documents that differ a round reads. */
import { SUSPECTS_MAX } from "@kattegat/protocol/digests.ts";

/** So quickly a round asks for less: after four failures for each document alone. */
const SHRINK = 4;

/**
 * Goes round over the keys, on from the last one that was asked for, whether or not it could be read: what cannot be hides nothing
 * behind it. After a failure fewer are asked for at once, until those that can be read are apart from those that cannot.
 */
export class ReadWindow {
  readonly #unread = new Set<string>();
  #asked: readonly string[] = [];
  #after = "";
  #most = SUSPECTS_MAX;

  /** Documents that could not be read when they were last asked for. */
  get unread(): number {
    return this.#unread.size;
  }

  /** @param options.isAll - whether no other key differs. */
  take(keys: readonly string[], { isAll }: { readonly isAll: boolean }): readonly string[] {
    const sorted = keys.toSorted();
    if (isAll) for (const key of this.#unread) if (!sorted.includes(key)) this.#unread.delete(key);
    const from = Math.max(
      0,
      sorted.findIndex((key) => key > this.#after),
    );
    this.#asked = [...sorted.slice(from), ...sorted.slice(0, from)].slice(0, this.#most);
    this.#after = this.#asked.at(-1) ?? "";
    return this.#asked;
  }

  /** What was taken last has been read. */
  read(): void {
    for (const key of this.#asked) this.#unread.delete(key);
    this.#most = Math.min(SUSPECTS_MAX, this.#most * 2);
  }

  /** What was taken last could not be read. */
  failed(): void {
    for (const key of this.#asked) this.#unread.add(key);
    this.#most = Math.max(1, Math.floor(this.#most / SHRINK));
  }
}
