/** Source of records: NDJSON, plain or compressed. */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { LineTooLongError, numberedLines } from "../client/lines.ts";
import { SourceError, type Source, type SourceItem } from "./record.ts";

/** Archives of texts are packed with windows up to 128 MiB. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** The ending of the name says how the file is packed: `.zst`, `.gz`, or not. */
export async function openNdjsonFile(path: string): Promise<Source> {
  const bytes = statSync(path).size;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return {
    name: path,
    digest: hash.digest("hex"),
    items() {
      const file = createReadStream(path, { highWaterMark: 256 * 1_024 });
      return records(unpacked(file, path), {
        name: path,
        position: () => (bytes === 0 ? 1 : file.bytesRead / bytes),
      });
    },
  };
}

export function openNdjsonStream(stream: Readable): Source {
  return {
    name: "standard input",
    digest: null,
    items: () => records(stream, { name: "standard input", position: () => null }),
  };
}

function unpacked(file: Readable, path: string): Readable {
  const transform = path.endsWith(".zst")
    ? createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } })
    : path.endsWith(".gz")
      ? createGunzip()
      : null;
  if (transform === null) return file;
  file.on("error", (error) => transform.destroy(error));
  return file.pipe(transform);
}

async function* records(
  stream: AsyncIterable<Uint8Array>,
  { name, position }: { readonly name: string; readonly position: () => number | null },
): AsyncGenerator<SourceItem, void, undefined> {
  try {
    for await (const { number, text } of numberedLines(stream)) {
      if (text.trim() === "") continue;
      yield recordOf(number, number === 1 ? text.replace(/^\uFEFF/, "") : text, position());
    }
  } catch (cause) {
    if (cause instanceof LineTooLongError) throw new SourceError(`${name}: ${cause.message}`, { cause });
    if (cause instanceof Error && "code" in cause)
      throw new SourceError(`${name} cannot be read: ${cause.message}`, { cause });
    throw cause;
  }
}

function recordOf(line: number, text: string, position: number | null): SourceItem {
  try {
    return { kind: "record", line, record: JSON.parse(text), position };
  } catch (cause) {
    return {
      kind: "bad",
      line,
      id: null,
      code: "bad_json",
      detail: `Expected a JSON document in line ${line}: ${cause instanceof Error ? cause.message : "it does not parse"}`,
      position,
    };
  }
}
