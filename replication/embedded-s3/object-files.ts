/** Objects as files: a bucket is a folder, and so is each part of a name before its last. */
import { hash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, readdir, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { S3Error } from "./s3-error.ts";

/** S3's own. */
const KEY_BYTES_MAX = 1_024;
/** What a file system takes, without the mark. */
const PART_CHARACTERS_MAX = 254;
/** Set before the last part of a name, so that `a` and `a/b` are a file and a folder of different names. */
const FILE_MARK = "=";
const DRAFTS = "drafts";

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

  /** `isWanted` judges the tag of the object that is there, null where there is none. Resolves with the new one's. */
  async write(
    bucket: string,
    key: string,
    { bytes, isWanted }: { readonly bytes: Buffer; readonly isWanted: (etag: string | null) => boolean },
  ): Promise<string> {
    const path = this.#pathOf(bucket, key);
    return await this.#inTurn(path, async () => {
      const there = await readFile(path).catch(ifMissing);
      if (!isWanted(there === null ? null : etagOf(there)))
        throw new S3Error("PreconditionFailed", "The object is another by now.");
      const draft = join(this.#folder, DRAFTS, randomUUID());
      try {
        await writeFlushed(draft, bytes);
        await this.#makeFolder(dirname(path));
        await rename(draft, path);
        await flush(dirname(path));
      } catch (error) {
        await rm(draft, { force: true });
        throw storageError(error);
      }
      return etagOf(bytes);
    });
  }

  /** One that is gone already is no error. */
  async remove(bucket: string, key: string): Promise<void> {
    const path = this.#pathOf(bucket, key);
    await this.#inTurn(path, async () => {
      if ((await unlink(path).catch(ifMissing)) === null) return;
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

  async #makeFolder(path: string): Promise<void> {
    const first = await mkdir(path, { recursive: true });
    // Of a new folder the one above it has to be on the disk too.
    for (let made = path; first !== undefined; made = dirname(made)) {
      await flush(dirname(made));
      if (made === first) return;
    }
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

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(ifMissing);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
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
