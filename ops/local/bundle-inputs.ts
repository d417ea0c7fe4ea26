/** What a bundle was made of, so that it is made anew only when that has changed. */
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const FILE = "inputs.json";

/** Path → size with the time of the last change. */
const inputsSchema = z.record(z.string(), z.string());

/** Before the bundle is touched: one that is written in part has no inputs. */
export function forgetInputs(folder: string): void {
  rmSync(join(folder, FILE), { force: true });
}

export function noteInputs(folder: string, paths: readonly string[]): void {
  const inputs = Object.fromEntries(paths.map((path) => [path, stampOf(path)]));
  writeFileSync(join(folder, FILE), JSON.stringify(inputs));
}

/** Whether the folder has a bundle of files that are as they were, `bundler` among them: another checkout has its own. */
export function isBundled(folder: string, bundler: string): boolean {
  try {
    const inputs = inputsSchema.parse(JSON.parse(readFileSync(join(folder, FILE), "utf8")));
    return (
      Object.hasOwn(inputs, bundler) &&
      Object.entries(inputs).every(([path, stamp]) => stampOf(path) === stamp)
    );
  } catch {
    return false; // Never made, or a file is gone: the bundler tells.
  }
}

function stampOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size} ${mtimeMs}`;
}
