import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyze, queryTerms, type Token } from "../text/analyzer.ts";
import { hash32 } from "../text/hash.ts";
import { passageVector, queryVector, sparseDot } from "./bm25.ts";
import { emptyStatistics, type TermStatistics } from "./statistics.ts";

const tokensOf = (terms: readonly string[]): Token[] =>
  terms.map((term, i) => ({ term, start: i, end: i + 1 }));
const TERMS = fc.array(fc.constantFrom("ret", "frihed", "§12", "og", "klage", "2016/679"), {
  maxLength: 200,
});

function statistics(passages: number, counts: Readonly<Record<string, number>>): TermStatistics {
  const byId = new Map(Object.entries(counts).map(([term, count]) => [hash32(term), count]));
  return { version: "1", passages, df: (id) => byId.get(id) ?? 1 };
}

describe("passageVector", () => {
  it("is the document side of BM25, ids ascending without repeats", () => {
    fc.assert(
      fc.property(TERMS, (terms) => {
        const { indices, values } = passageVector(tokensOf(terms));
        expect([...indices]).toEqual([...new Set(terms.map(hash32))].toSorted((a, b) => a - b));
        for (const [i, id] of [...indices].entries()) {
          const tf = terms.filter((term) => hash32(term) === id).length;
          expect(values[i]).toBe(Math.fround((tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * terms.length) / 80))));
        }
      }),
    );
  });

  it("weighs a term in a short passage above the same in a long one", () => {
    const short = passageVector(tokensOf(["ret", "frihed"]));
    const long = passageVector(tokensOf(["ret", ...Array.from({ length: 100 }, () => "frihed")]));
    const query = queryVector(new Map([["ret", 1]]), statistics(10, {}));
    expect(sparseDot(query, short)).toBeGreaterThan(sparseDot(query, long));
  });
});

describe("queryVector", () => {
  it("weighs each term by ln(1 + (N−df+0.5)/(df+0.5)) times its count", () => {
    const vector = queryVector(new Map([["ret", 2]]), statistics(1000, { ret: 100 }));
    expect([...vector.indices]).toEqual([hash32("ret")]);
    expect(vector.values[0]).toBeCloseTo(2 * Math.log(1 + 900.5 / 100.5), 5);
  });

  it("takes an unlisted term for one of a single passage", () => {
    const vector = queryVector(new Map([["sjælden", 1]]), statistics(1000, {}));
    expect(vector.values[0]).toBeCloseTo(Math.log(1 + 999.5 / 1.5), 5);
  });

  it("is positive whatever the statistics, with none or with counts above the number of passages", () => {
    expect(queryVector(new Map([["ret", 1]]), emptyStatistics()).values[0]).toBeGreaterThan(0);
    expect(queryVector(new Map([["ret", 1]]), statistics(5, { ret: 9 })).values[0]).toBeGreaterThan(0);
  });

  it("has ids ascending without repeats, so that Qdrant takes it", () => {
    const { indices } = queryVector(
      queryTerms("enhver har ret til undervisning efter artikel 26, stk. 1"),
      emptyStatistics(),
    );
    expect([...indices]).toEqual([...new Set(indices)].toSorted((a, b) => a - b));
    expect(indices.length).toBeGreaterThan(8);
  });

  it("ranks the passage first that holds the rare word of the query", () => {
    const passages = [
      "Enhver har ret til frihed og sikkerhed",
      "Enhver har ret til undervisning",
      "Retten til alt og til enhver",
    ];
    const table = statistics(1000, { ret: 500, til: 900, enhv: 400, har: 800, undervisning: 5 });
    const query = queryVector(queryTerms("ret til undervisningen"), table);
    const scores = passages.map((passage) => sparseDot(query, passageVector(analyze(passage, "da"))));
    expect(scores.indexOf(Math.max(...scores))).toBe(1);
  });
});

describe("sparseDot", () => {
  it("equals the sum over shared ids", () => {
    fc.assert(
      fc.property(TERMS, TERMS, (left, right) => {
        const a = passageVector(tokensOf(left));
        const b = passageVector(tokensOf(right));
        const weights = new Map([...b.indices].map((id, i) => [id, b.values[i] ?? 0]));
        const expected = [...a.indices].reduce(
          (sum, id, i) => sum + (a.values[i] ?? 0) * (weights.get(id) ?? 0),
          0,
        );
        expect(sparseDot(a, b)).toBeCloseTo(expected, 6);
        expect(sparseDot(a, b)).toBe(sparseDot(b, a));
      }),
    );
  });
});
