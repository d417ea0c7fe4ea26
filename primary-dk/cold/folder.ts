/** The folder in which bases rest, one of them published. */
import { mkdir, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { ColdFormatError } from "@kattegat/engine/cold/format-error.ts";
import { recordSchema, type BaseFileRecord, type BaseRecord } from "./record.ts";

const RECORD = "base.json";
const DRAFT = "base.json.new";

export class BaseFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  pathOf(name: string): string {
    return join(this.#path, name);
  }

  async make(): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
  }

  /** Resolves with what is published, null when nothing is. @throws {ColdFormatError} for a record that cannot be read. */
  async published(): Promise<BaseRecord | null> {
    let text: string;
    try {
      text = await readFile(this.pathOf(RECORD), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
    try {
      return recordSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new ColdFormatError(`expected ${RECORD} to name a base`, { cause });
    }
  }

  /** Resolves when the file is on the disk, whatever happens to the machine. */
  async write(name: string, bytes: Uint8Array): Promise<BaseFileRecord> {
    const file = await open(this.pathOf(name), "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return { name, bytes: bytes.byteLength, checksum: crc32c(bytes) };
  }

  /** Makes this the base that a start finds; its files are on the disk before, so a crash leaves the one or the other. */
  async publish(record: BaseRecord): Promise<void> {
    await this.#sync();
    await this.write(DRAFT, Buffer.from(JSON.stringify(record)));
    await rename(this.pathOf(DRAFT), this.pathOf(RECORD));
    await this.#sync();
  }

  /** Resolves when no start finds a base. */
  async withdraw(): Promise<void> {
    await rm(this.pathOf(RECORD), { force: true });
    await this.#sync();
  }

  /** Deletes every file but the record and what is named. */
  async sweep(kept: readonly string[]): Promise<void> {
    const names = new Set([RECORD, ...kept]);
    for (const name of await readdir(this.#path))
      if (!names.has(name)) await rm(this.pathOf(name), { force: true });
    await this.#sync();
  }

  /** @throws {ColdFormatError} naming the first file that is not what was written. */
  async verify({ files }: BaseRecord): Promise<void> {
    for (const { name, bytes, checksum } of files) {
      const found = await readFile(this.pathOf(name)).catch(() => null);
      if (found === null || found.byteLength !== bytes || crc32c(found) !== checksum)
        throw new ColdFormatError(`expected ${name} as it was written, got other bytes or none`);
    }
  }

  /** A rename is on the disk when its folder is. */
  async #sync(): Promise<void> {
    const folder = await open(this.#path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
