/** The replacing of a file whose old bytes may not stay. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

const OWNER_ONLY = 0o600;

/**
 * Replaces the file at once or not at all, then overwrites the bytes that it had.
 *
 * The new bytes are read back before the old ones go: a full disk must not cost both. On a disk that writes elsewhere (copy on write,
 * wear levelling) the old bytes go when the disk reuses their place.
 */
export function replaceAndShred(path: string, bytes: Uint8Array): void {
  const next = `${path}.next`;
  writeDurably(next, bytes);
  if (!readFileSync(next).equals(bytes))
    throw new Error(`expected ${bytes.byteLength} bytes in ${next}, others were written`);
  const before = openIfThere(path);
  try {
    renameSync(next, path);
    syncFolder(dirname(path));
    if (before !== null) overwrite(before);
  } finally {
    if (before !== null) closeSync(before.file);
  }
}

/** Adds a line at the end; it is on the disk when this returns. */
export function appendDurably(path: string, line: string): void {
  const file = openSync(path, "a", OWNER_ONLY);
  try {
    writeFileSync(file, line);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w", OWNER_ONLY);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
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
  const noise = randomBytes(bytes);
  for (let at = 0; at < bytes;) at += writeSync(file, noise, at, bytes - at, at);
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
