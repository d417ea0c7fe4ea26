import { type Artefact, encodeArtefact, rowBytes } from "./artefact.ts";
import { RowTable, writeRow } from "./rows.ts";
import { type Vocabulary, WordCounter } from "./train-count.ts";
import { trainGrams } from "./train-grams.ts";
import { SampleCollector, type SparseRows } from "./train-sample.ts";
import { type Subspace, truncatedSvd } from "./train-subspace.ts";
import { wordKey } from "./word-key.ts";

/** All words of Danish law in three passages or more are 130,000; rows take 400 bytes each. */
const WORDS_MAX = 250_000;
/** Twice as many moved no figure of relevance by more than its noise, at twice the time. */
const SAMPLE_PASSAGES_MAX = 150_000;
/** 3.2 MB of the head at 384 dimensions. */
const GRAMS_MAX = 8_192;
/**
 * How far a row's length follows the word's rarity instead of its length in the subspace.
 *
 * The subspace shrinks words that it has no dimension for, which are the ones that a searcher types: see docs/embedding.md for
 * the trade between known items found (grows with it) and passages that lie in lists (falls).
 */
const RARITY_SHARE = 0.5;

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
  /** The compiled `engine/wasm/learn.wasm`. */
  readonly module: WebAssembly.Module;
  readonly wordsMax?: number;
  readonly samplePassagesMax?: number;
  readonly gramsMax?: number;
  readonly rarityShare?: number;
  readonly headBytesMax?: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** Between two reports of the passes over texts. */
const REPORT_PASSAGES = 50_000;

/**
 * Trains static vectors of words by latent semantic analysis: TF-IDF, reduced by a truncated SVD.
 *
 * Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 41 (1990); weights (1 + ln tf)·ln(N / df), rows of unit length. A
 * passage is then the sum of its words' rows. The same texts in the same order, options and module give the same bytes. A word of fewer
 * than three passages leaves no trace in the artefact.
 */
export async function trainEmbedding(options: TrainingOptions): Promise<Artefact> {
  const { dimensions, seed } = options;
  if (!Number.isInteger(dimensions) || dimensions % 4 !== 0 || dimensions < 8 || dimensions > 1024)
    throw new RangeError(`dimensions: expected a multiple of 4 from 8 to 1024, got ${dimensions}`);
  const report = options.onProgress ?? (() => undefined);
  const counter = new WordCounter();
  await eachText(options, "counted", (text) => counter.add(text));
  const vocabulary = counter.vocabulary(options.wordsMax ?? WORDS_MAX);
  report({ step: "words", words: vocabulary.words.length, passages: vocabulary.passages });
  const idf = inverseFrequencies(vocabulary);
  const rows = await sampleOf(options, vocabulary, idf);
  const subspace = truncatedSvd(rows, {
    columns: vocabulary.words.length,
    dimensions,
    seed,
    module: options.module,
    onPass: (pass, passes) => report({ step: "pass", pass, passes }),
  });
  const weighted = weightedRows(subspace, idf, {
    dimensions,
    rarityShare: options.rarityShare ?? RARITY_SHARE,
  });
  const grams = trainGrams(vocabulary.words, new RowTable(weighted.records, dimensions), {
    dimensions,
    gramsMax: options.gramsMax ?? GRAMS_MAX,
  });
  report({ step: "rows", words: vocabulary.words.length });
  const keys = vocabulary.words.map(wordKey);
  return encodeArtefact(
    {
      dimensions,
      passages: vocabulary.passages,
      sampled: rows.starts.length - 1,
      seed,
      unknownLength: weighted.unknownLength,
      hashes: Uint32Array.from(keys, ({ hash }) => hash),
      checks: Uint16Array.from(keys, ({ check }) => check),
      rows: weighted.records,
      gramHashes: grams.hashes,
      gramRows: grams.rows,
    },
    options.headBytesMax === undefined ? {} : { headBytesMax: options.headBytesMax },
  );
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

async function sampleOf(
  options: TrainingOptions,
  vocabulary: Vocabulary,
  idf: Float64Array,
): Promise<SparseRows> {
  const collector = new SampleCollector(vocabulary, {
    passagesMax: options.samplePassagesMax ?? SAMPLE_PASSAGES_MAX,
    seed: options.seed,
    idf,
  });
  await eachText(options, "sampled", (text) => collector.add(text));
  return collector.finish();
}

function inverseFrequencies({ counts, passages }: Vocabulary): Float64Array {
  return Float64Array.from(counts, (count) => Math.log((passages + 1) / (count + 0.5)));
}

/** Rows as wide as idf^rarity · (idf·|v|)^(1 − rarity), in the direction of the word's singular vectors. */
function weightedRows(
  { rows, stride }: Subspace,
  idf: Float64Array,
  { dimensions, rarityShare }: { readonly dimensions: number; readonly rarityShare: number },
): { readonly records: Uint8Array; readonly unknownLength: number } {
  const words = idf.length;
  const records = new Uint8Array(words * rowBytes(dimensions));
  const lengths = new Float64Array(words);
  const row = new Float64Array(dimensions);
  for (let word = 0; word < words; word += 1) {
    let squares = 0;
    for (let i = 0; i < dimensions; i += 1) squares += (rows[word * stride + i] ?? 0) ** 2;
    if (squares === 0) continue;
    const share = Math.sqrt(squares);
    const weight = idf[word] ?? 0;
    const length = weight * share ** (1 - rarityShare);
    for (let i = 0; i < dimensions; i += 1) row[i] = ((rows[word * stride + i] ?? 0) * length) / share;
    writeRow(records, word, row);
    lengths[word] = length;
  }
  return { records, unknownLength: medianOfRarest(lengths) };
}

/** A word without a row is as rare as the rarest that have one: the last tenth. */
function medianOfRarest(lengths: Float64Array): number {
  const rarest = lengths.slice(Math.floor(lengths.length * 0.9)).sort();
  return rarest[rarest.length >> 1] ?? 1;
}
