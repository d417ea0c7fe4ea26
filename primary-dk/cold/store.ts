/** The base that serves, kept open. */
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

  /** Opens what was just made, which nobody else may see before it is published. */
  openMade(record: BaseRecord): Promise<OpenBase> {
    return openBaseIn(this.folder, record, this.#pacer);
  }

  /** Publishes it; resolves with the one before, which its users still read. */
  async replace(next: OpenBase | null): Promise<OpenBase | null> {
    if (next === null) await this.folder.withdraw();
    else await this.folder.publish(next.record);
    const previous = this.#current;
    this.#current = next;
    return previous;
  }

  /** Deletes every file that is not of the base that serves. */
  async sweep(): Promise<void> {
    await this.folder.sweep(this.#current?.record.files.map(({ name }) => name) ?? []);
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
