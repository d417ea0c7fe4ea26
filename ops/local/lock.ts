/** The lock that keeps a second local network off one data folder. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { z } from "zod";

const lockSchema = z.object({ pid: z.int().positive(), started_at: z.string() });

/** Another network holds the folder. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}

export interface Lock {
  /** Whether a network that did not end cleanly held the folder before. */
  readonly stale: boolean;
  release(): void;
}

/**
 * Takes the lock file. A lock whose process is gone is taken over.
 *
 * @throws {LockedError} when its process lives.
 */
export function takeLock(
  path: string,
  {
    shown,
    pid = process.pid,
    alive = processLives,
  }: { readonly shown: string; readonly pid?: number; readonly alive?: (pid: number) => boolean },
): Lock {
  let stale = false;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const file = openSync(path, "wx", 0o644);
      writeSync(file, JSON.stringify({ pid, started_at: new Date().toISOString() }));
      closeSync(file);
      return { stale, release: () => rmSync(path, { force: true }) };
    } catch (cause) {
      if (!isCode(cause, "EEXIST")) throw cause;
    }
    const holder = readLock(path);
    if (holder !== null && holder !== pid && alive(holder)) {
      throw new LockedError(
        `A network already runs on ${shown} (process ${holder}). Stop it first (kill ${holder}), or choose another folder with KATTEGAT_DATA and another port with KATTEGAT_PORT.`,
      );
    }
    stale = true;
    rmSync(path, { force: true });
  }
  throw new LockedError(`The lock of ${shown} is being taken by another process; try again.`);
}

export function readLock(path: string): number | null {
  try {
    const lock = lockSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return lock.success ? lock.data.pid : null;
  } catch {
    return null;
  }
}

export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return isCode(cause, "EPERM");
  }
  return !isZombie(pid);
}

/** A dead process whose parent has not looked yet still takes signals. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
