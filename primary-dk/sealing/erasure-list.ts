/** The list of erasures, kept apart from the database so that a restore cannot undo them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { appendDurably } from "./shred.ts";

const FILE = "erasures";

const erasureSchema = z.object({
  document: z.string(),
  /** In the log of changes, at the time. */
  epoch: z.int(),
  sequence: z.string(),
  erased_at: z.iso.datetime(),
});
export type Erasure = Readonly<z.infer<typeof erasureSchema>>;

/** Lines of JSON beside the keyring, in the order of the erasures. */
export class ErasureList {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, FILE);
  }

  /** On the disk when it returns: keys are destroyed only afterwards. */
  append(erasures: readonly Erasure[]): void {
    if (erasures.length > 0)
      appendDurably(this.#path, erasures.map((erasure) => `${JSON.stringify(erasure)}\n`).join(""));
  }

  /** Ids of every document that was erased; a line that a crash cut short was of keys that are still there. */
  documents(): ReadonlySet<string> {
    if (!existsSync(this.#path)) return new Set();
    const whole = readFileSync(this.#path, "utf8").split("\n").slice(0, -1);
    return new Set(
      whole.flatMap((line) => {
        try {
          return [erasureSchema.parse(JSON.parse(line)).document];
        } catch {
          return [];
        }
      }),
    );
  }
}
