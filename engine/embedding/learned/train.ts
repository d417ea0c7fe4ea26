import { type Artefact, encodeArtefact, HEAD_BYTES_MAX, rowBytes } from "./artefact.ts";
import { RowTable } from "./rows.ts";
import { type Vocabulary, WordCounter } from "./train-count.ts";
import { trainGrams } from "./train-grams.ts";
import { localRarities } from "./train-rarity.ts";
import { SampleCollector, type SparseRows, weighRows } from "./train-sample.ts";
import { wordRows } from "./train-rows.ts";
import { truncatedSvd } from "./train-subspace.ts";
import { wordKey } from "./word-key.ts";

/** Danish law has 110,000 words that get a row; rows take 400 bytes each. */
const WORDS_MAX = 250_000;
/** With 64 distinct words each they are ten million entries: 80 MB, a few seconds a pass of the SVD. */
const SAMPLE_PASSAGES_MAX = 150_000;
/** 3.2 MB of the head at 384 dimensions. */
const GRAMS_MAX = 8_192;
export type TrainingProgress =
  | { readonly step: "counted" | "sampled"; readonly passages: number }
  | { readonly step: "words"; readonly words: number; readonly passages: number }
  | { readonly step: "pass"; readonly pass: number; readonly passes: number }
  | { readonly step: "rows"; readonly words: number };

export interface TrainingOptions {
  /** Gives all passages, twice the same. */
  readonly texts: () => Iterable<string> | AsyncIterable<string>;
  readonly dimensions: number;
  readonly seed: number;
  /** Residency classes of the documents that the texts are of; none for texts that are no network's. */
  readonly classes?: readonly string[];
  /** The compiled `engine/wasm/learn.wasm`. */
  readonly module: WebAssembly.Module;
  readonly wordsMax?: number;
  readonly samplePassagesMax?: number;
  readonly gramsMax?: number;
  readonly headBytesMax?: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** Between two reports of the passes over texts. */
const REPORT_PASSAGES = 50_000;

/**
 * Trains static vectors of words by latent semantic analysis: TF-IDF, reduced by a truncated SVD.
 *
 * Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 41 (1990); weights (1 + ln tf)·rarity, rows of unit length. A
 * passage is then the sum of its words' rows. The same texts in the same order, options and module give the same bytes. A word of fewer
 * than three passages leaves no trace in the artefact.
 */
export async function trainEmbedding(options: TrainingOptions): Promise<Artefact> {
  const { dimensions, seed } = options;
  if (!Number.isInteger(dimensions) || dimensions % 4 !== 0 || dimensions < 8 || dimensions > 1024)
    throw new RangeError(`dimensions: expected a multiple of 4 from 8 to 1024, got ${dimensions}`);
  const headBytesMax = options.headBytesMax ?? HEAD_BYTES_MAX;
  const report = options.onProgress ?? (() => undefined);
  const counter = new WordCounter();
  await eachText(options, "counted", (text) => counter.add(text));
  const vocabulary = counter.vocabulary(options.wordsMax ?? WORDS_MAX);
  report({ step: "words", words: vocabulary.words.length, passages: vocabulary.passages });
  const rows = await sampleOf(options, vocabulary);
  const rarities = localRarities(vocabulary, rows);
  weighRows(rows, rarities);
  const subspace = truncatedSvd(rows, {
    columns: vocabulary.words.length,
    dimensions,
    seed,
    module: options.module,
    onPass: (pass, passes) => report({ step: "pass", pass, passes }),
  });
  const { kept, records, unknownLength } = wordRows(subspace, rarities, dimensions);
  const words = Array.from(kept, (place) => vocabulary.words[place] ?? "");
  report({ step: "rows", words: words.length });
  const grams = trainGrams(words, new RowTable(records, dimensions), {
    dimensions,
    gramsMax: Math.min(options.gramsMax ?? GRAMS_MAX, gramsThatFit(headBytesMax, dimensions)),
  });
  const keys = words.map(wordKey);
  return encodeArtefact(
    {
      dimensions,
      passages: vocabulary.passages,
      sampled: rows.starts.length - 1,
      seed,
      classes: options.classes ?? [],
      unknownLength,
      hashes: Uint32Array.from(keys, ({ hash }) => hash),
      checks: Uint16Array.from(keys, ({ check }) => check),
      rows: records,
      gramHashes: grams.hashes,
      gramRows: grams.rows,
    },
    { headBytesMax },
  );
}

/** Runs of units get half of the head, beside the keys of words: at a thousand dimensions all of them would not fit. */
function gramsThatFit(headBytesMax: number, dimensions: number): number {
  return Math.floor(headBytesMax / 2 / (rowBytes(dimensions) + 4));
}

async function eachText(
  { texts, onProgress }: TrainingOptions,
  step: "counted" | "sampled",
  take: (text: string) => void,
): Promise<void> {
  let passages = 0;
  for await (const text of texts()) {
    take(text);
    passages += 1;
    if (passages % REPORT_PASSAGES === 0) onProgress?.({ step, passages });
  }
}

async function sampleOf(options: TrainingOptions, vocabulary: Vocabulary): Promise<SparseRows> {
  const collector = new SampleCollector(vocabulary, {
    passagesMax: options.samplePassagesMax ?? SAMPLE_PASSAGES_MAX,
    seed: options.seed,
  });
  await eachText(options, "sampled", (text) => collector.add(text));
  return collector.finish();
}
