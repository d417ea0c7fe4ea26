import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { matches } from "../../../filter/compile.ts";
import { pointOf, randomFilters, randomPassages } from "./document-filter.fixture.ts";
import { selectedRows, writtenDocuments } from "./document.fixture.ts";

describe("a base's documents", () => {
  it("pass a filter exactly where its semantics pass them", async () => {
    let passed = 0;
    let total = 0;
    await fc.assert(
      fc.asyncProperty(
        randomPassages,
        fc.array(randomFilters, { minLength: 8, maxLength: 8 }),
        async (rows, some) => {
          const { part, files } = await writtenDocuments(rows);
          for (const filter of some) {
            const expected = rows.flatMap((row, at) => (matches(filter, pointOf(row)) ? [at] : []));
            expect(await selectedRows(part, filter, files.read), JSON.stringify(filter)).toEqual(expected);
            passed += expected.length;
            total += rows.length;
          }
        },
      ),
      { numRuns: 50, seed: 5 },
    );
    // Neither everything nor nothing, or the filters would test little.
    expect(passed / total).toBeGreaterThan(0.1);
    expect(passed / total).toBeLessThan(0.9);
  });
});
