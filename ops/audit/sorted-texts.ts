/** Sorts more texts than memory holds: in runs on the disk, merged when they are read. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { splitLines } from "../client/lines.ts";

/** Some twenty megabytes; a million documents at five sites are a hundred runs, which are open at once. */
const RUN_TEXTS = 50_000;

export class SortedTexts {
  readonly #runTexts: number;
  #texts: string[] = [];
  #folder: string | null = null;
  readonly #runs: string[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor({ runTexts = RUN_TEXTS }: { readonly runTexts?: number } = {}) {
    this.#runTexts = runTexts;
  }

  /** Resolves when there is room for the next one. A text has no line end. */
  async add(text: string): Promise<void> {
    this.#texts.push(text);
    if (this.#texts.length < this.#runTexts) return;
    const run = this.#texts.sort();
    this.#texts = [];
    // Several sources add at once: runs are written one after another.
    this.#writing = this.#writing.then(() => this.#write(run));
    await this.#writing;
  }

  /** Yields all texts in order; nothing may be added any more. */
  async *read(): AsyncGenerator<string> {
    await this.#writing;
    const sources: AsyncIterator<string>[] = this.#runs.map((path) => splitLines(createReadStream(path)));
    sources.push(inMemory(this.#texts.sort()));
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      let least = -1;
      for (const [place, head] of heads.entries()) {
        const best = heads[least];
        if (head.done !== true && (best === undefined || head.value < best.value)) least = place;
      }
      const head = heads[least];
      const source = sources[least];
      if (head === undefined || source === undefined) return;
      yield head.value;
      heads[least] = await source.next();
    }
  }

  async remove(): Promise<void> {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(run: readonly string[]): Promise<void> {
    this.#folder ??= await mkdtemp(join(tmpdir(), "kattegat-audit-"));
    const path = join(this.#folder, String(this.#runs.length));
    await writeFile(path, `${run.join("\n")}\n`, { mode: 0o600 });
    this.#runs.push(path);
  }
}

async function* inMemory(texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}
