/** A base on the disk, open for searches. */
import { open, readFile, type FileHandle } from "node:fs/promises";
import { openBase, type ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import { piecesOf } from "@kattegat/engine/cold/base/object-pieces.ts";
import type { ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { Pacer } from "../pacer.ts";
import type { BaseFolder } from "./folder.ts";
import { readTable, type BaseTable } from "./table.ts";
import type { BaseRecord } from "./record.ts";

export interface OpenBase {
  readonly record: BaseRecord;
  readonly base: ColdBase;
  readonly table: BaseTable;
  readonly read: ReadPieces;
  /** Whether something of it could not be read: from then on it is on its way out. */
  readonly isDamaged: boolean;
  damaged(): void;
  /** Counts a user in: files stay until every user has called what this returns. */
  use(): () => void;
  /** Resolves when the last user is gone, the files are closed. */
  retire(): Promise<void>;
  /** Closes the files whoever uses them: the process ends. */
  close(): Promise<void>;
}

/** @throws {ColdFormatError} for a root that is damaged, or for files that are gone. */
export async function openBaseIn(folder: BaseFolder, record: BaseRecord, pacer: Pacer): Promise<OpenBase> {
  const handles = new Map<string, FileHandle>();
  const close = async (): Promise<void> => {
    await Promise.all([...handles.values()].map((handle) => handle.close()));
  };
  try {
    for (const { name } of record.files) handles.set(name, await open(folder.pathOf(name), "r"));
    const read = piecesOf(record, async (key, offset, length) => {
      const bytes = new Uint8Array(length);
      // What cannot be read is a missing piece, which the search reports.
      const found = await handles
        .get(key)
        ?.read(bytes, 0, length, offset)
        .catch(() => null);
      return bytes.subarray(0, found?.bytesRead ?? 0);
    });
    const base = openBase(await readFile(folder.pathOf(rootKey(record))), null);
    const table = await readTable(base.documents, { read, pacer });
    let isDamaged = false;
    return {
      record,
      base,
      table,
      read,
      get isDamaged() {
        return isDamaged;
      },
      damaged() {
        isDamaged = true;
      },
      close,
      ...users(close),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function users(close: () => Promise<void>): Pick<OpenBase, "use" | "retire"> {
  let count = 0;
  let last: (() => void) | null = null;
  return {
    use() {
      count += 1;
      let isGone = false;
      return () => {
        if (isGone) return;
        isGone = true;
        count -= 1;
        if (count === 0) last?.();
      };
    },
    async retire() {
      if (count > 0)
        await new Promise<void>((resolve) => {
          last = resolve;
        });
      await close();
    },
  };
}
