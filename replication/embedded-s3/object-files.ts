/** Objects as files: a bucket is a folder, and so is each part of a name before its last. */
import { hash, randomUUID } from "node:crypto";
import {
  closeSync,
  fdatasync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { mkdir, readFile, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { S3Error } from "./s3-error.ts";

/** S3's own. */
const KEY_BYTES_MAX = 1_024;
/** What a file system takes, without the mark. */
const PART_CHARACTERS_MAX = 254;
/** Set before the last part of a name, so that `a` and `a/b` are a file and a folder of different names. */
const FILE_MARK = "=";
const DRAFTS = "drafts";

const flushData = promisify(fdatasync);
const flushAll = promisify(fsync);

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: string;
}

export interface ReadObject {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** What is acknowledged is on the disk: a file is written aside, flushed, put in its place, and its folder flushed. */
export class ObjectFiles {
  readonly #folder: string;
  readonly #buckets: ReadonlySet<string>;
  /** Writers of one folder wait for each other: a condition still holds when a file is replaced, no folder goes before a file comes. */
  readonly #writing = new Map<string, Promise<unknown>>();

  private constructor(folder: string, buckets: ReadonlySet<string>) {
    this.#folder = folder;
    this.#buckets = buckets;
  }

  static async open(folder: string, buckets: readonly string[]): Promise<ObjectFiles> {
    // What a crash has left half written was acknowledged to nobody.
    await rm(join(folder, DRAFTS), { recursive: true, force: true });
    await mkdir(join(folder, DRAFTS), { recursive: true });
    for (const bucket of buckets) await mkdir(join(folder, "buckets", bucket), { recursive: true });
    return new ObjectFiles(folder, new Set(buckets));
  }

  /** @throws {S3Error} */
  assertBucket(bucket: string): void {
    if (!this.#buckets.has(bucket)) throw new S3Error("NoSuchBucket", "The bucket does not exist.");
  }

  async read(bucket: string, key: string): Promise<ReadObject> {
    const bytes = await readFile(this.#pathOf(bucket, key)).catch(ifMissing);
    if (bytes === null) throw new S3Error("NoSuchKey", "The key does not exist.");
    return { bytes, etag: etagOf(bytes) };
  }

  /** `isWanted` judges the tag of the object that is there, null where there is none; left out, any. Resolves with the new one's. */
  async write(
    bucket: string,
    key: string,
    {
      bytes,
      isWanted,
    }: { readonly bytes: Buffer; readonly isWanted: ((etag: string | null) => boolean) | null },
  ): Promise<string> {
    const path = this.#pathOf(bucket, key);
    return await this.#inTurn(path, async () => {
      const there = isWanted === null ? null : await readFile(path).catch(ifMissing);
      if (isWanted !== null && !isWanted(there === null ? null : etagOf(there)))
        throw new S3Error("PreconditionFailed", "The object is another by now.");
      const draft = join(this.#folder, DRAFTS, randomUUID());
      try {
        await writeFlushed(draft, bytes);
        const made = mkdirSync(dirname(path), { recursive: true });
        renameSync(draft, path);
        await Promise.all(foldersToFlush(dirname(path), made).map(flush));
      } catch (error) {
        rmSync(draft, { force: true });
        throw storageError(error);
      }
      return etagOf(bytes);
    });
  }

  /** One that is gone already is no error. */
  async remove(bucket: string, key: string): Promise<void> {
    const path = this.#pathOf(bucket, key);
    await this.#inTurn(path, async () => {
      try {
        unlinkSync(path);
      } catch (error) {
        ifMissing(error);
        return;
      }
      await flush(dirname(path));
      // The last object takes its folder along; one that has others stays.
      await rmdir(dirname(path)).catch(() => undefined);
    });
  }

  /** Up to `limit` objects in order of their names, behind `after`. */
  async list(
    bucket: string,
    { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
  ): Promise<readonly ListedObject[]> {
    this.assertBucket(bucket);
    const found: ListedObject[] = [];
    // A prefix that names folders is where the search begins.
    const above = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const parts = above.split("/").slice(0, -1);
    if (parts.includes("")) return [];
    const folder = join(this.#folder, "buckets", bucket, ...parts.map(nameOf));
    for await (const key of keysUnder(folder, above, { prefix, after })) {
      const status = await stat(this.#pathOf(bucket, key)).catch(ifMissing);
      if (status === null) continue;
      found.push({ key, bytes: status.size, modifiedAt: status.mtime.toISOString() });
      if (found.length >= limit) break;
    }
    return found;
  }

  #pathOf(bucket: string, key: string): string {
    this.assertBucket(bucket);
    const parts = key.split("/");
    const last = parts.pop() ?? "";
    const names = [...parts.map(nameOf), `${FILE_MARK}${nameOf(last)}`];
    const isTooLong =
      Buffer.byteLength(key) > KEY_BYTES_MAX || names.some((name) => name.length > PART_CHARACTERS_MAX);
    if (isTooLong || [...parts, last].includes(""))
      throw new S3Error("InvalidArgument", "Expected a key of parts that are neither empty nor long.");
    return join(this.#folder, "buckets", bucket, ...names);
  }

  async #inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
    const folder = dirname(path);
    const before = this.#writing.get(folder) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#writing.set(folder, turn);
    try {
      return await turn;
    } finally {
      if (this.#writing.get(folder) === turn) this.#writing.delete(folder);
    }
  }
}

/** Dots are left alone by `encodeURIComponent`; two of them would leave the folder. */
function nameOf(part: string): string {
  return encodeURIComponent(part).replace(/^\.+/, (dots) => "%2E".repeat(dots.length));
}

/** Names in the order of their bytes, which is not that of files beside folders: `a/b` stands after `a-`, before `a0`. */
async function* keysUnder(
  folder: string,
  above: string,
  { prefix, after }: { readonly prefix: string; readonly after: string },
): AsyncGenerator<string> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(ifMissing)) ?? [];
  const names = entries.map((entry) => {
    const isFile = entry.isFile();
    const part = decodeURIComponent(isFile ? entry.name.slice(FILE_MARK.length) : entry.name);
    const key = `${above}${part}${isFile ? "" : "/"}`;
    return { isFile, entry: entry.name, key, bytes: Buffer.from(key) };
  });
  for (const { isFile, entry, key } of names.toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))) {
    if (isFile) {
      if (key.startsWith(prefix) && isBehind(key, after)) yield key;
      continue;
    }
    const isOnTheWay = key.startsWith(prefix) || prefix.startsWith(key);
    const isPassed = !after.startsWith(key) && !isBehind(key, after);
    if (isOnTheWay && !isPassed) yield* keysUnder(join(folder, entry), key, { prefix, after });
  }
}

function isBehind(key: string, after: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}

function etagOf(bytes: Uint8Array): string {
  return `"${hash("md5", bytes, "hex")}"`;
}

/** Calls that only touch the kernel's memory are made at once: a promise of each costs several times as much. */
async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = openSync(path, "wx");
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    await flushData(file);
  } finally {
    closeSync(file);
  }
}

/** A folder with a new file, and above it each that has got a new folder. */
function foldersToFlush(folder: string, firstMade: string | undefined): readonly string[] {
  const folders = [folder];
  if (firstMade === undefined) return folders;
  for (let made = folder; ; made = dirname(made)) {
    folders.push(dirname(made));
    if (made === firstMade) return folders;
  }
}

async function flush(folder: string): Promise<void> {
  let handle: number;
  try {
    handle = openSync(folder, "r");
  } catch (error) {
    ifMissing(error);
    return;
  }
  try {
    await flushAll(handle);
  } finally {
    closeSync(handle);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function ifMissing(error: unknown): null {
  if (codeOf(error) === "ENOENT") return null;
  throw error;
}

function storageError(error: unknown): unknown {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(String(codeOf(error)))
    ? new S3Error("InsufficientStorage", "The disk is full.", { cause: error })
    : error;
}
