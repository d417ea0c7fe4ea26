/** Danish law with questions about it, ready to be made into a base. */
import { join } from "node:path";
import { createPassageSpool, type PassageSpool } from "@kattegat/engine/cold/base/passage-spool.ts";
import { queryVector, type SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import { decodeStatistics, StatisticsCounter } from "@kattegat/engine/lexical/statistics.ts";
import { queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { openResidentEmbedder } from "@kattegat/primary-dk/embedding/artefact-files.ts";
import { trainToFolder } from "@kattegat/primary-dk/embedding/train-to-folder.ts";
import { createTextFile } from "@kattegat/replication/text-spool.ts";
import { lawProvisions } from "../corpus.ts";
import { lawPassages } from "./law-passages.ts";
import { writeNpy } from "./npy.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

export const PROVISIONS_ALL = 608_095;
/** Fewer provisions for a quick look. */
export const PROVISIONS = Number(process.env["KATTEGAT_BENCH_PROVISIONS"] ?? PROVISIONS_ALL);
export const DIMENSIONS = 384;
const QUERIES = 300;
/** Asked by their words alone, beside those. */
const WORD_QUERIES = 700;
const QUERY_WORDS = 8;
const PROGRESS_PASSAGES = 50_000;

export interface Question {
  readonly text: string;
  readonly dense: Float32Array;
  readonly lexical: SparseVector;
}

export interface Corpus {
  readonly spool: PassageSpool;
  /** Deletes the file in which texts wait. */
  readonly remove: () => void;
  /** The vectors before they were rounded, as a file. */
  readonly vectors: string;
  /** What weighs the words of the questions, as an object of the cold index. */
  readonly statistics: Uint8Array;
  readonly questions: readonly Question[];
  /** The words of more of them, weighed; those of `questions` first. */
  readonly words: readonly SparseVector[];
  readonly embedSeconds: number;
  /** Of all passages. */
  readonly textBytes: number;
  readonly metadataBytes: number;
  readonly sparseValues: number;
}

export async function corpusIn(folder: string, lawFile: string): Promise<Corpus> {
  const trained = await trainToFolder(folder, {
    texts: () => someOf(lawProvisions(lawFile)),
    dimensions: DIMENSIONS,
    seed: 1,
    onProgress: ({ step }) => console.log(`  training: ${step}`),
  });
  const embedder = await openResidentEmbedder(folder, trained.model);
  const hits = createTextFile({ folder, name: "law", capacity: PROVISIONS });
  const spool = createPassageSpool({ dimensions: DIMENSIONS, capacity: PROVISIONS, texts: hits });
  const counter = new StatisticsCounter();
  const random = seededRandom(1);
  const texts: string[] = [];
  const moreRandom = seededRandom(2);
  const moreTexts: string[] = [];
  const totals = { textBytes: 0, metadataBytes: 0, sparseValues: 0 };
  const vectors = join(folder, "vectors.npy");
  const started = performance.now();
  let done = 0;
  async function* floats(): AsyncGenerator<Float32Array<ArrayBuffer>> {
    const embed = (text: string): Float32Array => embedder.embedSync(text);
    for await (const { passage, float } of lawPassages(lawFile, { embed, limit: PROVISIONS })) {
      spool.add(passage);
      counter.add(passage.sparse);
      totals.textBytes += Buffer.byteLength(passage.text);
      totals.metadataBytes += JSON.stringify(passage.metadata).length;
      totals.sparseValues += passage.sparse.indices.length;
      if (random() < (QUERIES * 1.5) / PROVISIONS) {
        const query = wordsOf(passage.text, random);
        if (query !== null && texts.length < QUERIES) texts.push(query);
      }
      if (moreRandom() < (WORD_QUERIES * 1.5) / PROVISIONS) {
        const query = wordsOf(passage.text, moreRandom);
        if (query !== null && moreTexts.length < WORD_QUERIES) moreTexts.push(query);
      }
      done += 1;
      if (done % PROGRESS_PASSAGES === 0)
        console.log(`  embedded: ${done}, ${Math.round((performance.now() - started) / 1_000)} s`);
      yield float;
    }
  }
  await writeNpy(vectors, DIMENSIONS, floats());
  const statistics = counter.encode("1");
  const weights = decodeStatistics(statistics);
  const questions = texts.map((text) => ({
    text,
    dense: embedder.embedSync(text),
    lexical: queryVector(queryTerms(text), weights),
  }));
  const remove = (): void => hits.remove();
  return {
    spool,
    remove,
    vectors,
    statistics,
    questions,
    words: [...texts, ...moreTexts].map((text) => queryVector(queryTerms(text), weights)),
    embedSeconds: (performance.now() - started) / 1_000,
    ...totals,
  };
}

async function* someOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let count = 0;
  for await (const text of texts) {
    if (count === PROVISIONS) return;
    yield text;
    count += 1;
  }
}

/** Eight words in a row, from anywhere in the text. */
function wordsOf(text: string, random: () => number): string | null {
  const words = text.split(/\s+/);
  if (words.length < QUERY_WORDS) return null;
  const from = Math.floor(random() * (words.length - QUERY_WORDS));
  return words.slice(from, from + QUERY_WORDS).join(" ");
}
