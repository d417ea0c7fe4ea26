import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Article, readArticles } from "../declarations.fixture.ts";
import type { Artefact, PageRange } from "./artefact.ts";
import type { ReadPages } from "./embedder.ts";
import { trainEmbedding, type TrainingOptions } from "./train.ts";

/** The compiled training kernel; the types of workerd, whose tests train too, know no module that is made at run time. */
export const LEARN_MODULE: WebAssembly.Module = Reflect.construct(WebAssembly.Module, [
  readFileSync(join(import.meta.dirname, "..", "..", "wasm", "learn.wasm")),
]);

/** The declarations in these languages: small enough to train on within a second. */
export function articlesIn(codes: readonly string[]): Article[] {
  const wanted = new Set(codes);
  return readArticles().filter(({ code }) => wanted.has(code));
}

/** Trains on texts with few dimensions and little of everything, except for what is given. */
export function trainSmall(
  texts: readonly string[],
  options: Partial<TrainingOptions> = {},
): Promise<Artefact> {
  return trainEmbedding({
    texts: () => texts,
    dimensions: 64,
    seed: 1,
    module: LEARN_MODULE,
    gramsMax: 1_024,
    ...options,
  });
}

/** Reads pages out of memory and keeps what was asked. */
export function pagesOf({ rows }: Artefact): {
  readonly rounds: PageRange[][];
  readonly readPages: ReadPages;
} {
  const rounds: PageRange[][] = [];
  return {
    rounds,
    readPages: (pages) => {
      rounds.push([...pages]);
      return Promise.resolve(pages.map(({ offset, length }) => rows.slice(offset, offset + length)));
    },
  };
}
