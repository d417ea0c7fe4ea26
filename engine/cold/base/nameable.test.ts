import { fusionOf } from "@kattegat/protocol/fusion.ts";
import { fuse, type SitedCandidate } from "@kattegat/protocol/fuse.ts";
import { describe, expect, it } from "vitest";
import { nameableRows } from "./nameable.ts";
import type { RowHit } from "./parts.ts";
import { seededRandom } from "../../seeded-random.ts";

/** Few distinct scores, so that many are equal. */
function listOf(random: () => number, rows: number): RowHit[] {
  return Array.from({ length: rows }, (_, row) => ({ row, score: Math.round(random() * 12) / 4 }))
    .filter(() => random() < 0.6)
    .toSorted((a, b) => b.score - a.score || a.row - b.row);
}

function candidatesOf(list: readonly RowHit[], site: string): SitedCandidate[] {
  return list.map(({ row, score }) => ({
    document_id: `${site}-${row}`,
    ordinal: 1,
    score,
    tier: "cold",
    version: "1",
    residency: "global",
    site,
  }));
}

describe("the rows that need a name", () => {
  it("hold every hit of the page, whatever another site brings (I6)", () => {
    const random = seededRandom(1);
    for (let round = 0; round < 300; round += 1) {
      const lists = { dense: listOf(random, 40), lexical: listOf(random, 40) };
      const other = { dense: listOf(random, 20), lexical: listOf(random, 20) };
      const page = 1 + Math.floor(random() * 8);
      const named = nameableRows(lists, { page, keyOf: (row) => row });
      const fused = fuse(
        {
          dense: [...candidatesOf(lists.dense, "cold"), ...candidatesOf(other.dense, "hot")],
          lexical: [...candidatesOf(lists.lexical, "cold"), ...candidatesOf(other.lexical, "hot")],
        },
        {
          groupBy: "document",
          depth: 1_000,
          fusion: fusionOf(round % 2 === 0 ? "hashed-384-v1" : "encoder"),
        },
      );
      // Equal scores may swap: what stands on the page must have a name, or an equal of it that has one.
      const shown = fused.slice(0, page).filter(({ passage }) => passage.site === "cold");
      for (const { passage, denseScore, lexicalScore } of shown) {
        const row = Number(passage.document_id.slice("cold-".length));
        const ahead = fused.filter(
          (hit) =>
            (hit.denseScore ?? -1) >= (denseScore ?? -1) && (hit.lexicalScore ?? -1) >= (lexicalScore ?? -1),
        );
        expect(named.has(row) || ahead.length > page, `row ${row} of a page of ${page}`).toBe(true);
      }
    }
  });

  it("are few when the lists agree", () => {
    const dense = Array.from({ length: 100 }, (_, row) => ({ row, score: 100 - row }));
    expect(nameableRows({ dense, lexical: dense }, { page: 10, keyOf: (row) => row }).size).toBe(10);
    expect(nameableRows({ dense, lexical: [] }, { page: 10, keyOf: (row) => row }).size).toBe(10);
  });

  it("are those of a document that is high in one list by another passage", () => {
    const keyOf = (row: number): number => row >> 1;
    const dense = [0, 2, 4].map((row, at) => ({ row, score: 3 - at }));
    const lexical = [5, 1, 3].map((row, at) => ({ row, score: 3 - at }));
    // Document 2 is last in the dense list by row 4, first in the lexical one by row 5.
    expect([...nameableRows({ dense, lexical }, { page: 1, keyOf })]).toEqual(
      expect.arrayContaining([0, 4, 5]),
    );
  });
});
