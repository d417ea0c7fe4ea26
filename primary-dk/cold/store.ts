/** The base that serves, kept open. */
import { compareFences, type Fence } from "@kattegat/protocol/sequence.ts";
import type { Pacer } from "../pacer.ts";
import { BaseFolder } from "./folder.ts";
import { openBaseIn, type OpenBase } from "./open-base.ts";
import type { BaseRecord } from "./record.ts";
import { isOfSource, type BaseSource } from "./source.ts";

export interface BaseStoreOptions {
  readonly folder: string;
  readonly model: string;
  readonly dimensions: number;
  readonly source: BaseSource;
  readonly pacer: Pacer;
  /** Hears why a base that was published cannot serve. */
  readonly report: (error: unknown) => void;
}

export class BaseStore {
  readonly folder: BaseFolder;
  readonly #pacer: Pacer;
  #current: OpenBase | null = null;
  /** Whether there may be files that belong to no base that serves. */
  #isLittered = false;

  private constructor({ folder, pacer }: BaseStoreOptions) {
    this.folder = new BaseFolder(folder);
    this.#pacer = pacer;
  }

  /** Resolves with what the folder has, every file checked; anything else in it is deleted. */
  static async open(options: BaseStoreOptions): Promise<BaseStore> {
    const store = new BaseStore(options);
    const { folder } = store;
    await folder.make();
    try {
      const record = await folder.published();
      if (record !== null) {
        assertUsable(record, options);
        await folder.verify(record);
        store.#current = await openBaseIn(folder, record, options.pacer);
      }
    } catch (error) {
      options.report(error);
      await folder.withdraw();
    }
    await store.sweep();
    return store;
  }

  get current(): OpenBase | null {
    return this.#current;
  }

  /** Hears that files of a base are about to be written; until they serve, or are swept away, nobody knows whom they hold. */
  expectFiles(): void {
    this.#isLittered = true;
  }

  /** Whether the files may have a content of the document that was deleted at this place of the log. */
  mayHold(id: string, deleted: Fence): boolean {
    if (this.#isLittered) return true;
    const table = this.#current?.table;
    const number = table?.numberOf(id);
    if (table === undefined || number === undefined) return false;
    // Stored anew since, it is another content.
    const held: Fence = { epoch: table.epochOf(number), sequence: table.versionOf(number) };
    return compareFences(held, deleted) < 0;
  }

  /** Opens what was just made, which nobody else may see before it is published. */
  openMade(record: BaseRecord): Promise<OpenBase> {
    return openBaseIn(this.folder, record, this.#pacer);
  }

  /** Publishes it; resolves with the one before, which its users still read. */
  async replace(next: OpenBase | null): Promise<OpenBase | null> {
    if (next === null) await this.folder.withdraw();
    else await this.folder.publish(next.record);
    const previous = this.#current;
    this.#isLittered = true;
    this.#current = next;
    return previous;
  }

  /** Deletes every file that is not of the base that serves. */
  async sweep(): Promise<void> {
    await this.folder.sweep(this.#current?.record.files.map(({ name }) => name) ?? []);
    this.#isLittered = false;
  }

  async close(): Promise<void> {
    await this.#current?.close();
  }
}

function assertUsable(record: BaseRecord, { model, dimensions, source }: BaseStoreOptions): void {
  if (!isOfSource(record, source)) throw new Error("expected a base of this database, got one of another");
  if (record.model !== model || record.dimensions !== dimensions)
    throw new Error(
      `expected a base of ${model} with ${dimensions} dimensions, got ${record.model} with ${record.dimensions}`,
    );
}
