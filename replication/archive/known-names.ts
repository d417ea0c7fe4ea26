/** What an archive's bucket has of the documents that were written last. */

/** Some 250 bytes each. */
const DOCUMENTS_MAX = 32_768;

/** The least recently written documents are forgotten first. */
export class KnownNames {
  /** Document → key of its object, null where there is none; in the order in which they were written. */
  readonly #keys = new Map<string, string | null>();

  /** Undefined when nobody knows. */
  get(document: string): string | null | undefined {
    return this.#keys.get(document);
  }

  set(document: string, key: string | null): void {
    this.#keys.delete(document);
    this.#keys.set(document, key);
    if (this.#keys.size <= DOCUMENTS_MAX) return;
    for (const oldest of this.#keys.keys()) {
      this.#keys.delete(oldest);
      return;
    }
  }

  forget(document: string): void {
    this.#keys.delete(document);
  }

  clear(): void {
    this.#keys.clear();
  }
}
