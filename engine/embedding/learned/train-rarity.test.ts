import { expect, it } from "vitest";
import { localRarities } from "./train-rarity.ts";

/** Words 0 to 3 belong to 1,000 passages, words 4 to 7 to ten others; 0 and 4 stand in all of theirs, 3 and 7 in three. */
const counts = Uint32Array.of(1_000, 500, 500, 3, 10, 5, 5, 3);
const passages = [
  ...Array.from({ length: 100 }, (_, at) => (at === 0 ? [0, 1, 2, 3] : [0, 1, 2])),
  ...Array.from({ length: 10 }, (_, at) => (at < 3 ? [4, 5, 6, 7] : [4, 5, 6])),
];
const starts = Uint32Array.from([0, ...passages.map((_, at) => passages.slice(0, at + 1).flat().length)]);
const columns = Uint32Array.from(passages.flat());
const rarities = localRarities({ words: [..."abcdefgh"], counts, passages: 1_010 }, { starts, columns });

it("takes a word that stands in all passages like its own for a common one, however few they are", () => {
  expect(rarities[4]).toBeLessThan(2);
  expect(Math.log(1_011 / 10.5)).toBeGreaterThan(4);
});

it("keeps a rare word rare among many passages, the more so the more they are", () => {
  expect(rarities[3]).toBeGreaterThan(4.5);
  expect(rarities[7]).toBeGreaterThan(rarities[4] ?? 0);
  expect(rarities[3]).toBeGreaterThan(rarities[7] ?? 0);
});

it("never lets a word count for nothing", () => {
  for (const rarity of rarities) expect(rarity).toBeGreaterThanOrEqual(0.5);
});
