import { describe, expect, it } from "vitest";
import { KindBalance } from "./train-balance.ts";
import { SampleCollector, weighRows } from "./train-sample.ts";
import { WordCounter } from "./train-count.ts";

/** 2,000 passages of one kind, 40 of another, no word in common. */
const common = Array.from({ length: 2_000 }, (_, at) => `klagen skal være indgivet rettidigt nr${at % 400}`);
const rare = Array.from({ length: 40 }, (_, at) => `everyone has the right to education no${at % 8}`);
/** A number of its own makes each text another. */
const texts = [...common, ...rare].map((text, at) => `${text} ${at}`);

function sampleOf(passagesMax: number) {
  const counter = new WordCounter();
  for (const text of texts) counter.add(text);
  const vocabulary = counter.vocabulary(1_000);
  const collector = new SampleCollector(vocabulary, { passagesMax, seed: 1 });
  for (const text of texts) collector.add(text);
  const rows = collector.finish();
  weighRows(rows, new Float64Array(vocabulary.words.length).fill(1));
  const ofRare = vocabulary.words.indexOf("everyone");
  let rareRows = 0;
  let rareSquares = 0;
  let squares = 0;
  for (let row = 0; row + 1 < rows.starts.length; row += 1) {
    const [from, end] = [rows.starts[row] ?? 0, rows.starts[row + 1] ?? 0];
    const isRare = rows.columns.subarray(from, end).includes(ofRare);
    const own = rows.weights.subarray(from, end).reduce((sum, weight) => sum + weight * weight, 0);
    squares += own;
    if (!isRare) continue;
    rareRows += 1;
    rareSquares += own;
  }
  return { rows: rows.starts.length - 1, rareRows, rareShare: rareSquares / squares };
}

describe("the balance of kinds", () => {
  it("samples a rare kind of passages more often than a common one", () => {
    const { rows, rareRows } = sampleOf(400);
    expect(rows).toBeGreaterThan(250);
    expect(rows).toBeLessThan(800);
    // A fifth of the common kind; of the rare one more than half.
    expect(rareRows).toBeGreaterThan(20);
  });

  it("gives a rare kind a share between its number and an equal part, however many are sampled", () => {
    for (const passagesMax of [400, 5_000]) {
      const { rareShare } = sampleOf(passagesMax);
      expect(rareShare).toBeGreaterThan(0.06);
      expect(rareShare).toBeLessThan(0.3);
    }
  });

  it("counts a passage whose words are as frequent as usual once", () => {
    const balance = new KindBalance({ counts: Uint32Array.of(10, 10, 10) });
    expect(balance.boostOf([0, 2])).toBeCloseTo(1, 9);
    expect(balance.boostOf([])).toBe(1);
  });
});
