/** The replacing of a file whose old bytes may not stay. */
import { closeSync, fsyncSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";

const OWNER_ONLY = 0o600;

/**
 * Replaces the file at once or not at all, then overwrites the bytes that it had.
 *
 * On a disk that writes elsewhere (copy on write, wear levelling) the old bytes go when the disk reuses their place.
 */
export function replaceAndShred(path: string, bytes: Uint8Array): void {
  const next = `${path}.next`;
  const file = openSync(next, "w", OWNER_ONLY);
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const before = openIfThere(path);
  try {
    renameSync(next, path);
    syncFolder(dirname(path));
    if (before !== null) overwrite(before);
  } finally {
    if (before !== null) closeSync(before.file);
  }
}

interface OpenFile {
  readonly file: number;
  readonly bytes: number;
}

function openIfThere(path: string): OpenFile | null {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  return bytes === undefined ? null : { file: openSync(path, "r+"), bytes };
}

function overwrite({ file, bytes }: OpenFile): void {
  writeSync(file, randomBytes(bytes), 0, bytes, 0);
  fsyncSync(file);
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
