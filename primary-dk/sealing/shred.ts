/** The replacing of a file whose old bytes may not stay. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

const OWNER_ONLY = 0o600;
/** Ends the second name of bytes that are to be overwritten. */
const OLD = ".old";

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
  finish(path);
  // A second name, by which a process that is killed before the last step finds the old bytes again.
  if (existsSync(path)) linkSync(path, `${path}${OLD}`);
  renameSync(next, path);
  syncFolder(dirname(path));
  finish(path);
}

/** Overwrites what replacements of files in the folder left that did not come to their end. */
export function finishShredding(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(OLD)) finish(join(folder, name.slice(0, -OLD.length)));
}

/** Before the renaming both names are of the bytes that are in force. */
function finish(path: string): void {
  const old = statSync(`${path}${OLD}`, { throwIfNoEntry: false });
  if (old === undefined) return;
  if (old.ino === statSync(path, { throwIfNoEntry: false })?.ino) rmSync(`${path}${OLD}`);
  else shred(`${path}${OLD}`, old.size);
}

function shred(path: string, bytes: number): void {
  const file = openSync(path, "r+");
  try {
    const noise = randomBytes(bytes);
    for (let at = 0; at < bytes;) at += writeSync(file, noise, at, bytes - at, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  rmSync(path, { force: true });
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

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
