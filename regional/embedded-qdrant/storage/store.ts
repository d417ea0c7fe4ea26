/** The catalog together with the files that it is rebuilt from. */
import { mkdir, readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Catalog } from "../catalog.ts";
import type { Operation } from "../operation.ts";
import { decodeOperation, encodeOperation } from "./codec.ts";
import { DamagedFileError, readFrames } from "./frame-reader.ts";
import { LogFile } from "./log-file.ts";
import { syncFolder, writeSnapshot } from "./snapshot.ts";

/** Replayed at start in about a second; below it a snapshot would cost more than it saves. */
const LOG_BYTES_MAX = 64 * 1_024 * 1_024;

export interface StoreOptions {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly log: (message: string, details: Readonly<Record<string, unknown>>) => void;
  /** Called when the disk refuses: memory is then ahead of it, so the process must not go on. */
  readonly fail: (error: unknown) => void;
  readonly logBytesMax?: number;
}

/** `snapshot-7` holds the effect of every record before `log-7`; start reads the last snapshot, then every log from its number on. */
export class Store {
  readonly #options: StoreOptions;
  #number: number;
  #version: number;
  #log: LogFile;
  #snapshotBytes = 0;
  #compacting: Promise<void> | null = null;
  /** Whether the files hold collections that are gone. */
  #hasDropped = false;
  #isClosing = false;
  #generation: number;

  private constructor(
    options: StoreOptions,
    state: {
      readonly number: number;
      readonly generation: number;
      readonly version: number;
      readonly log: LogFile;
    },
  ) {
    this.#options = options;
    this.#number = state.number;
    this.#version = state.version;
    this.#log = state.log;
    this.#generation = state.generation;
  }

  /** Changes once the files have been written anew, without what was deleted before. */
  get generation(): number {
    return this.#generation;
  }

  /** @throws {DamagedFileError} when a file's middle is harmed; what was torn at the end is cut off. */
  static async open(options: StoreOptions): Promise<Store> {
    await mkdir(options.folder, { recursive: true });
    const names = await readdir(options.folder);
    for (const name of names) if (name.endsWith(".part")) await rm(join(options.folder, name));
    const snapshot = Math.max(0, ...numbersOf(names, "snapshot"));
    const logs = numbersOf(names, "log").filter((number) => number >= snapshot);
    let version = 0;
    let hasDropped = false;
    const visit = (frame: { readonly version: number; readonly body: Buffer }): void => {
      const operation = decodeOperation(frame.body);
      hasDropped ||= operation.kind === "drop";
      options.catalog.apply(operation, frame.version);
      version = Math.max(version, frame.version);
    };
    if (snapshot > 0) await readWhole(join(options.folder, `snapshot-${snapshot}`), visit);
    for (const number of logs) {
      const path = join(options.folder, `log-${number}`);
      const { end, tornBytes } = await readFrames(path, visit);
      if (tornBytes === 0) continue;
      if (number !== logs.at(-1))
        throw new DamagedFileError(path, end, "its end is missing, and a later log exists");
      options.log("cut off the torn end of the log", { path, at: end, torn_bytes: tornBytes });
      await truncate(path, end);
    }
    const number = logs.at(-1) ?? Math.max(1, snapshot);
    const log = await LogFile.open(join(options.folder, `log-${number}`));
    await syncFolder(options.folder);
    const store = new Store(options, { number, generation: snapshot, version, log });
    await store.#removeBefore(snapshot);
    store.#hasDropped = hasDropped;
    store.#compactWhenDue();
    return store;
  }

  /**
   * Applies the operation at once; resolves with its number when it would survive the death of the machine.
   *
   * Appends are queued in the same turn, so the log has the order of memory.
   */
  async commit(operation: Operation): Promise<number> {
    this.#version += 1;
    const version = this.#version;
    const written = this.#log.append(version, encodeOperation(operation));
    this.#options.catalog.apply(operation, version);
    try {
      await written;
    } catch (error) {
      this.#options.fail(error);
      throw error;
    }
    this.#hasDropped ||= operation.kind === "drop";
    this.#compactWhenDue();
    return version;
  }

  /** A log grows too long, or what is deleted is to leave the files. */
  #compactWhenDue(): void {
    const { catalog, logBytesMax = LOG_BYTES_MAX, fail } = this.#options;
    const isLong = this.#log.bytes > Math.max(logBytesMax, this.#snapshotBytes);
    const isDue = isLong || this.#hasDropped || catalog.all().some(({ isVacuumDue }) => isVacuumDue);
    if (!isDue || this.#isClosing || this.#compacting !== null) return;
    this.#compacting = this.#compact()
      .catch(fail)
      .finally(() => {
        this.#compacting = null;
        // What was deleted meanwhile may be in the new files.
        this.#compactWhenDue();
      });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#compacting;
    await this.#log.close();
  }

  /** New operations go to the next log first, so the snapshot may hold some of them: applying them again changes nothing. */
  async #compact(): Promise<void> {
    const { folder, catalog } = this.#options;
    const next = this.#number + 1;
    const full = this.#log;
    this.#log = await LogFile.open(join(folder, `log-${next}`));
    this.#number = next;
    this.#hasDropped = false;
    const vacuumed = catalog.all().map((collection) => collection.beginVacuum());
    await full.close();
    this.#snapshotBytes = await writeSnapshot(join(folder, `snapshot-${next}`), catalog, this.#version);
    await this.#removeBefore(next);
    for (const done of vacuumed) done();
    this.#generation = next;
    this.#options.log("wrote a snapshot", { number: next, bytes: this.#snapshotBytes });
  }

  async #removeBefore(number: number): Promise<void> {
    const names = await readdir(this.#options.folder);
    for (const kind of ["snapshot", "log"]) {
      for (const old of numbersOf(names, kind).filter((found) => found < number))
        await rm(join(this.#options.folder, `${kind}-${old}`));
    }
  }
}

/** A snapshot gets its name when it is complete, so any harm is damage. */
async function readWhole(path: string, visit: Parameters<typeof readFrames>[1]): Promise<void> {
  const { end, tornBytes } = await readFrames(path, visit);
  if (tornBytes > 0)
    throw new DamagedFileError(
      path,
      end,
      "a record of the snapshot is incomplete or its checksum does not fit",
    );
}

function numbersOf(names: readonly string[], kind: string): number[] {
  const pattern = new RegExp(`^${kind}-(\\d+)$`);
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
