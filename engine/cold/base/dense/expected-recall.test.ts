import { describe, expect, it } from "vitest";
import { createBitmap, setBit } from "../../../index/bitmap.ts";
import { testScanner } from "../../../vector/scanner.fixture.ts";
import { unitVector } from "../../../vector/vectors.fixture.ts";
import { decodeDirectory, encodeRecall } from "./dense-directory.ts";
import { openDense } from "./dense-index.ts";
import { buildDense, gridOf, passages } from "./dense.fixture.ts";
import { expectedAt, measureRecall, MEASURED_SHARES } from "./expected-recall.ts";
import { seededRandom } from "../../../seeded-random.ts";

const DIMENSIONS = 48;
const ROWS = 6_000;
const base = await buildDense(gridOf(passages(ROWS, DIMENSIONS), DIMENSIONS));
const index = openDense(base.sections);
const { vectors, clustering, store } = base;
const query = unitVector(DIMENSIONS, seededRandom(4));
const options = { wanted: 10, admitted: null, groupOf: null, probes: null, read: store.read };

describe("the recall that a base expects of itself (I6)", () => {
  it("is in its root, for each measured share", () => {
    const { recall } = decodeDirectory(base.sections);
    expect(recall.map(({ share }) => share)).toEqual(MEASURED_SHARES.map((share) => Math.fround(share)));
    for (const each of recall) expect(each.recall).toBeGreaterThan(0.9);
  });

  it("is that of searches that read what was written", async () => {
    const measured = await measureRecall(index, {
      vectors,
      order: clustering.order,
      scanner: testScanner(),
      read: store.read,
    });
    const { recall } = decodeDirectory(base.sections);
    expect(measured.map((each) => Math.fround(each.recall))).toEqual(recall.map((each) => each.recall));
  });

  it("falls when searches find less", async () => {
    store.lose(({ file, offset }) => file === "rows" && offset % 3 === 0);
    const [all] = await measureRecall(index, {
      vectors,
      order: clustering.order,
      scanner: testScanner(),
      read: store.read,
    });
    store.lose(() => false);
    expect(all?.recall).toBeLessThan((decodeDirectory(base.sections).recall[0]?.recall ?? 0) - 0.05);
  });

  it("lies between the shares that were measured", () => {
    const measured = [
      { share: 1, recall: 0.99 },
      { share: 0.1, recall: 0.97 },
      { share: 0.01, recall: 0.93 },
    ];
    expect(expectedAt(measured, 1)).toBe(0.99);
    expect(expectedAt(measured, 0.1)).toBeCloseTo(0.97);
    expect(expectedAt(measured, Math.sqrt(0.001))).toBeCloseTo(0.95);
    expect(expectedAt(measured, 0.000_1)).toBe(0.93);
    expect(expectedAt([], 1)).toBe(null);
  });
});

describe("an answer", () => {
  it("tells it unless it is exact", async () => {
    const measured = [
      { share: 1, recall: 0.75 },
      { share: 0.01, recall: 0.5 },
    ];
    const told = openDense(new Map([...base.sections, ...encodeRecall(measured)]));
    expect(await told.search(query, options)).toMatchObject({ exact: false, expectedRecall: 0.75 });
    const admitted = createBitmap(ROWS);
    for (let row = 0; row < 40; row += 1) setBit(admitted, row);
    const few = await told.search(query, { ...options, admitted });
    expect(few).toMatchObject({ exact: true, expectedRecall: 1 });
  });

  it("knows nothing of a base in which nobody measured", async () => {
    const older = new Map([...base.sections].filter(([name]) => name !== "dense-recall"));
    expect((await openDense(older).search(query, options)).expectedRecall).toBe(null);
  });
});
