/** Texts with their vectors for the benchmarks of the engine. */
import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { constants, createZstdDecompress } from "node:zlib";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { normalRandom } from "@kattegat/engine/normal-random.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { z } from "zod";

/** Path of `danish-law.ndjson.zst`; without it the corpus is made of the packaged declarations. */
export const LAW_FILE = process.env["KATTEGAT_BENCH_LAW"] ?? null;

export interface Corpus {
  readonly name: string;
  readonly dimensions: number;
  /** Row-major vectors of unit length. */
  readonly vectors: Float32Array;
  readonly queries: readonly Float32Array[];
}

const actSchema = z.object({ provisions: z.array(z.object({ text: z.string() })) });

/** Yields the texts of the law file's provisions in file order. */
export async function* lawProvisions(path: string): AsyncGenerator<string> {
  const unzip = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 27 } });
  for await (const line of createInterface({ input: createReadStream(path).pipe(unzip) })) {
    for (const { text } of actSchema.parse(JSON.parse(line)).provisions) yield text;
  }
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Vectors around random centres, as a sentence encoder's are: noise of the centres' own size. */
export function clusteredCorpus(options: {
  readonly count: number;
  readonly dimensions: number;
  readonly queries: number;
}): Corpus {
  const { count, dimensions, queries } = options;
  const random = seededRandom(7);
  const draw = (): Float32Array => Float32Array.from({ length: dimensions }, () => normalRandom(random));
  const centres = Array.from({ length: 512 }, draw);
  const near = (): Float32Array => {
    const centre = centres[Math.floor(random() * centres.length)] ?? draw();
    return unit(centre.map((value) => value + 0.8 * normalRandom(random)));
  };
  const vectors = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row += 1) vectors.set(near(), row * dimensions);
  return { name: "clustered", dimensions, vectors, queries: Array.from({ length: queries }, near) };
}

/** Eight words in a row from the middle of a text: what a lawyer pastes into a search box. */
function excerpt(text: string, random: () => number): string {
  const words = text.split(/\s+/);
  const start = Math.floor(random() * Math.max(1, words.length - 8));
  return words.slice(start, start + 8).join(" ");
}

/** Real provisions under the built-in embedder; the queries are excerpts of provisions that are not indexed. */
export async function lawCorpus(options: {
  readonly path: string;
  readonly count: number;
  readonly dimensions: number;
  readonly queries: number;
}): Promise<Corpus> {
  const { count, dimensions, queries } = options;
  const embedder = createHashedEmbedder({ dimensions });
  const random = seededRandom(11);
  const vectors = new Float32Array(count * dimensions);
  const excerpts: string[] = [];
  let seen = 0;
  let row = 0;
  for await (const text of lawProvisions(options.path)) {
    seen += 1;
    // Every 11th provision gives a query, every other an indexed vector, spread over many acts.
    if (seen % 11 === 0) {
      if (excerpts.length < queries && text.length > 80) excerpts.push(excerpt(text, random));
    } else if (seen % 5 < 2 && row < count) {
      vectors.set(embedder.embedSync(text), row * dimensions);
      row += 1;
    }
    if (row === count && excerpts.length === queries) break;
  }
  return {
    name: "Danish law",
    dimensions,
    vectors: vectors.subarray(0, row * dimensions),
    queries: excerpts.map((text) => embedder.embedSync(text)),
  };
}

/** Whether the law file was named and exists. */
export function hasLawFile(): boolean {
  return LAW_FILE !== null && existsSync(LAW_FILE);
}
