import { describe, expect, it } from "vitest";
import { hash32 } from "../../text/hash.ts";
import { wordAt } from "../../text/lexicon.ts";
import { scanWords } from "../../text/words.ts";
import { createHashedEmbedder } from "../hashed.ts";
import { openHead } from "./artefact.ts";
import { createResidentLearnedEmbedder } from "./embedder.ts";
import { articlesIn, LEARN_MODULE, trainSmall } from "./learned.fixture.ts";
import { WordCounter } from "./train-count.ts";
import { truncatedSvd } from "./train-subspace.ts";

const articles = articlesIn(["dan", "eng", "deu_1996", "swe", "fra", "nob"]);
const texts = articles.map(({ text }) => text);

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < left.length; i += 1) sum += (left[i] ?? 0) * (right[i] ?? 0);
  return sum;
}

function meanReciprocalRank(
  pairs: readonly (readonly [string, string])[],
  embed: (text: string) => Float32Array,
): number {
  const targets = pairs.map(([, target]) => embed(target));
  const ranks = pairs.map(([query], own) => {
    const vector = embed(query);
    const scores = targets.map((target) => dot(vector, target));
    return 1 + scores.filter((score) => score > (scores[own] ?? 0)).length;
  });
  return ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length;
}

function foldedWords(text: string): string[] {
  return scanWords(text).map((place) => wordAt(text, place).folded.term);
}

describe("the training of an embedding", () => {
  it("gives the same bytes for the same seed, others for another", async () => {
    const [first, again, other] = [
      await trainSmall(texts),
      await trainSmall(texts),
      await trainSmall(texts, { seed: 2 }),
    ];
    expect(again.model).toBe(first.model);
    expect(Buffer.from(again.head).equals(first.head)).toBe(true);
    expect(Buffer.from(again.rows).equals(first.rows)).toBe(true);
    expect(other.model).not.toBe(first.model);
    expect(first.model).toMatch(/^learned-64-[0-9a-f]{16}$/);
  });

  it("keeps no trace of a word that fewer than three passages hold", async () => {
    const secret = "zxqvaløsning";
    const { head, rows } = await trainSmall([...texts, `${secret} og ret`, `${secret} og frihed`]);
    const needle = Buffer.alloc(4);
    needle.writeUInt32LE(hash32(secret));
    expect(Buffer.from(head).includes(needle)).toBe(false);
    expect(Buffer.from(rows).includes(needle)).toBe(false);
    const counts = new Map<number, number>();
    for (const text of [...texts, secret, secret])
      for (const word of new Set(foldedWords(text)))
        counts.set(hash32(word), (counts.get(hash32(word)) ?? 0) + 1);
    const { hashes } = openHead(head);
    expect(hashes.length).toBeGreaterThan(400);
    for (const hash of hashes) expect(counts.get(hash)).toBeGreaterThanOrEqual(3);
    const once = await trainSmall([...texts, ...Array.from({ length: 3 }, () => `${secret} og ret`)]);
    expect(Buffer.from(once.head).includes(needle)).toBe(true);
  });

  it("finds for every second word of an article the words between them where hashed words cannot", async () => {
    const halves = articles.map(({ text }) => {
      const words = foldedWords(text);
      const asked = new Set(words.filter((_, at) => at % 2 === 0));
      // No word in common: only what was learned can bring the halves together.
      return [[...asked].join(" "), words.filter((word) => !asked.has(word)).join(" ")] as const;
    });
    const learned = createResidentLearnedEmbedder({ ...(await trainSmall(texts)), module: LEARN_MODULE });
    const found = meanReciprocalRank(halves, (text) => learned.embedSync(text));
    const hashed = createHashedEmbedder({ dimensions: 64 });
    const baseline = meanReciprocalRank(halves, (text) => hashed.embedSync(text));
    expect(found).toBeGreaterThan(0.5);
    expect(found).toBeGreaterThan(10 * baseline);
  });

  it("forgets the rarest words when there are too many, never overcounts the others", () => {
    const counter = new WordCounter({ wordsMax: 100 });
    for (let i = 0; i < 1_000; i += 1) counter.add(`ret nr${i} ${i % 10 === 0 ? "frihed" : ""}`);
    const { words, counts } = counter.vocabulary(10);
    expect(words[0]).toBe("ret");
    expect(counts[0]).toBe(1_000);
    expect(words.filter((word) => word.startsWith("nr"))).toEqual([]);
    for (const [at, word] of words.entries())
      expect(counts[at]).toBeLessThanOrEqual(word === "ret" ? 1_000 : 100);
  });

  it.each([0, 6, 1.5, 2_000])("refuses %d dimensions", async (dimensions) => {
    await expect(trainSmall(texts, { dimensions })).rejects.toThrow("dimensions: expected a multiple of 4");
  });

  it("keeps the head within its bytes, however long a vector is", async () => {
    for (const dimensions of [64, 256]) {
      const { head } = await trainSmall(texts, { dimensions, gramsMax: 8_192, headBytesMax: 40_000 });
      expect(head.byteLength).toBeLessThanOrEqual(40_000);
      expect(openHead(head).gramHashes.length).toBeGreaterThan(50);
    }
  });

  it("embeds nothing but the empty direction when it was trained on no text", async () => {
    const { head, rows } = await trainSmall([]);
    const embedder = createResidentLearnedEmbedder({ head, rows, module: LEARN_MODULE });
    expect(embedder.embedSync("")).toEqual(createHashedEmbedder({ dimensions: 64 }).embedSync(""));
    const unknown = embedder.embedSync("ret");
    expect(dot(unknown, unknown)).toBeCloseTo(1, 5);
  });
});

describe("the truncated SVD", () => {
  it("finds the singular values and vectors of a matrix whose decomposition is known", () => {
    // Rows r have one entry of size 2^-r in column r, so singular values are 1, ½, ¼ …
    const count = 40;
    const rows = {
      starts: Uint32Array.from({ length: count + 1 }, (_, r) => r),
      columns: Uint32Array.from({ length: count }, (_, r) => count - 1 - r),
      weights: Float32Array.from({ length: count }, (_, r) => 0.7 ** r),
      lengths: new Float32Array(count),
    };
    const svd = truncatedSvd(rows, { columns: count, dimensions: 8, seed: 3, module: LEARN_MODULE });
    for (let i = 0; i < 8; i += 1) {
      expect(svd.singularValues[i]).toBeCloseTo(0.7 ** i, 4);
      expect(Math.abs(svd.rows[(count - 1 - i) * svd.stride + i] ?? 0)).toBeCloseTo(1, 3);
    }
  });

  it("leaves dimensions zero that the matrix does not have", () => {
    const rows = {
      starts: Uint32Array.of(0, 2, 4),
      columns: Uint32Array.of(0, 1, 0, 1),
      weights: Float32Array.of(0.6, 0.8, 0.8, -0.6),
      lengths: new Float32Array(2),
    };
    const svd = truncatedSvd(rows, { columns: 3, dimensions: 8, seed: 1, module: LEARN_MODULE });
    expect([...svd.singularValues].map((value) => Math.round(value * 1e3) / 1e3)).toEqual([
      1, 1, 0, 0, 0, 0, 0, 0,
    ]);
    for (const value of svd.rows) expect(Number.isFinite(value)).toBe(true);
  });
});
