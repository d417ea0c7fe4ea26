import { describe, expect, it } from "vitest";
import { createLayout } from "./layout.ts";
import { bitBytes } from "./quantize.ts";
import { HISTOGRAM_BUCKETS } from "./scan.ts";
import { testScanner } from "./scanner.fixture.ts";
import { seededRandom } from "../seeded-random.ts";

const SLOTS = 256;

/** A chunk of random codes under a random table of the largest entries allowed, with its estimates by plain arithmetic. */
function randomChunk(dimensions: number, random: () => number) {
  const kernel = testScanner().instantiate();
  const { chunks, queryTable } = createLayout(
    { kernel, dimensions, chunkSlots: SLOTS, hasCodes: true },
    SLOTS,
  );
  const [chunk] = chunks;
  if (chunk === undefined) throw new RangeError("expected a chunk");
  const bytes = bitBytes(dimensions);
  // The last slots meet every nibble's largest entry: sums must not leave 16 bits.
  queryTable.forEach((_, i) => (queryTable[i] = i % 16 === 15 ? 60 : Math.floor(random() * 61)));
  const offset = dimensions * 7.5;
  const estimates = Array.from({ length: SLOTS }, (_, slot) => {
    const factor = Math.fround(0.5 + random());
    chunk.factors[slot] = factor;
    let sum = 0;
    for (let at = 0; at < bytes; at += 1) {
      const byte = slot >= SLOTS - 8 ? 255 : Math.floor(random() * 256);
      chunk.codes[(slot - (slot % 32)) * bytes + at * 32 + (slot % 32)] = byte;
      sum += (queryTable[at * 32 + (byte & 15)] ?? 0) + (queryTable[at * 32 + 16 + (byte >> 4)] ?? 0);
    }
    return Math.fround((sum - offset) * factor);
  });
  chunk.admitted.set(Array.from({ length: SLOTS / 32 }, (_, i) => (i === 2 ? 0 : 0xdddd_dddd)));
  const isAdmitted = (slot: number) => slot >> 5 !== 2 && slot % 4 !== 1;
  return { kernel, chunk, offset, estimates, isAdmitted };
}

describe.each([16, 100, 384, 4_096])("the list by one-bit codes, %i dimensions", (dimensions) => {
  it.each([
    { best: 5, most: 1_000, band: 300, rule: "within the band of the best" },
    { best: 5, most: 40, band: HISTOGRAM_BUCKETS, rule: "of the most that are wanted" },
    { best: 5, most: 1_000, band: HISTOGRAM_BUCKETS, rule: "when all may matter" },
    { best: 200, most: 1_000, band: 0, rule: "when fewer are there than are wanted" },
  ])("holds each admitted slot once, with its estimate, $rule", ({ best, most, band }) => {
    const { kernel, chunk, offset, estimates, isAdmitted } = randomChunk(
      dimensions,
      seededRandom(dimensions),
    );
    const bound = dimensions * 15;
    const bucketOf = (estimate: number) => Math.floor(((estimate + bound) * HISTOGRAM_BUCKETS) / (2 * bound));
    kernel.begin(-bound, HISTOGRAM_BUCKETS / (2 * bound), 1);
    kernel.beginList(offset, best, most, band);
    const listed = [...chunk.list.subarray(0, kernel.listBits(chunk.at))];
    for (const slot of listed) expect(chunk.scores[slot]).toBe(estimates[slot]);

    const ranked = estimates.filter((_, slot) => isAdmitted(slot)).toSorted((left, right) => right - left);
    const bucketAt = (rank: number) => bucketOf(ranked[rank - 1] ?? -bound);
    const lowest = Math.max(bucketAt(best) - band, bucketAt(most));
    const wanted = [...estimates.keys()].filter(
      (slot) => isAdmitted(slot) && bucketOf(estimates[slot] ?? -bound) >= lowest,
    );
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.every(isAdmitted)).toBe(true);
    expect(wanted.filter((slot) => !listed.includes(slot))).toEqual([]);
    // The mark lies at most a bucket and a half below what is wanted, so that little else is looked at.
    const mark = Math.max(-bound, kernel.mark());
    expect(bucketOf(mark)).toBeLessThanOrEqual(Math.max(0, lowest));
    expect(bucketOf(mark)).toBeGreaterThanOrEqual(Math.max(0, lowest) - 1);
  });
});
