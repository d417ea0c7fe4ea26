/** What an archive's bucket has of the documents that were written last. */

/** Some 250 bytes each. */
const DOCUMENTS_MAX = 32_768;

/** The least recently written documents are forgotten first. */
export class KnownNames {
  readonly #documentsMax: number;
  /** Document → key of its object, in the order in which they were written. */
  readonly #keys = new Map<string, string>();

  constructor(documentsMax: number = DOCUMENTS_MAX) {
    this.#documentsMax = documentsMax;
  }

  /** Null when nobody knows. */
  get(document: string): string | null {
    return this.#keys.get(document) ?? null;
  }

  set(document: string, key: string): void {
    this.#keys.delete(document);
    this.#keys.set(document, key);
    if (this.#keys.size <= this.#documentsMax) return;
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
