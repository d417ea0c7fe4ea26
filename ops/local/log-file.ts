/** The log file of one process. */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** A week of a busy local network; the file before it is kept too. */
const LOG_BYTES_MAX = 16 * 1_024 * 1_024;

export interface LogFile {
  write(line: string): void;
  close(): void;
}

/** Appends to the file; a full one is moved to `<path>.1`. */
export function openLog(path: string): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let file = openSync(path, "a", 0o600);
  let bytes = statSync(path).size;
  let open = true;
  return {
    write(line) {
      if (!open) return;
      if (bytes > LOG_BYTES_MAX) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, "a", 0o600);
        bytes = 0;
      }
      bytes += writeSync(file, `${line}\n`);
    },
    close() {
      if (open) closeSync(file);
      open = false;
    },
  };
}
