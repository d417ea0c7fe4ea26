import { describe, expect, it } from "vitest";
import { budgetOf } from "./dense-budget.ts";

const plain = { rows: 600_000, admittedRows: 600_000, wanted: 10, probes: null };

describe("the budget of a dense search", () => {
  it("is 0.8 MB of codes in eleven reads and fourteen spans by default, or what the reader can do", () => {
    const { probes, spans, candidates } = budgetOf(plain);
    expect(probes).toMatchObject({ readsMax: 11, bytesMax: 800_000 });
    expect(probes?.farness).toBeLessThan(2);
    expect(spans?.spansMax).toBe(14);
    expect(candidates).toBe(100);
    expect(budgetOf({ ...plain, codeReadsMax: 4 }).probes?.readsMax).toBe(4);
  });

  it("widens as the filter narrows, within 34 reads", () => {
    const bytes = [0.5, 0.2, 0.05, 0.01, 0.001].map(
      (share) => budgetOf({ ...plain, admittedRows: 600_000 * share }).probes?.bytesMax ?? 0,
    );
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
    expect(bytes[0]).toBe(800_000);
    expect(bytes[1]).toBeGreaterThan(800_000);
    expect(bytes[3]).toBe(bytes[4]);
    const narrow = budgetOf({ ...plain, admittedRows: 6_000 });
    expect((narrow.probes?.readsMax ?? 0) + (narrow.spans?.spansMax ?? 0)).toBeLessThanOrEqual(34);
    expect(narrow.probes?.farness).toBe(Infinity);
    expect(narrow.spans?.gaps.length).toBeGreaterThan(1);
  });

  it("looks at more rows when more are wanted", () => {
    const many = budgetOf({ ...plain, wanted: 1_000 });
    expect(many.candidates).toBe(1_500);
    expect(many.spans?.blocksMax).toBeGreaterThan(budgetOf(plain).spans?.blocksMax ?? 0);
    expect((many.probes?.readsMax ?? 0) + (many.spans?.spansMax ?? 0)).toBeLessThanOrEqual(32);
  });

  it("is what the caller says where the caller says it", () => {
    const { probes } = budgetOf({ ...plain, admittedRows: 50, probes: 3 });
    expect(probes).toEqual({ probesMax: 3, readsMax: Infinity, bytesMax: Infinity, farness: Infinity });
  });

  it("has no lists when the admitted rows are few", () => {
    expect(budgetOf({ ...plain, admittedRows: 160 }).probes).toBe(null);
    expect(budgetOf({ ...plain, admittedRows: 161 }).probes).not.toBe(null);
  });

  it("reads every candidate's block where reads are near, and no lists for a thousand rows", () => {
    const { probes, spans, candidates } = budgetOf({ ...plain, near: true, wanted: 200 });
    expect(probes).toEqual({ probesMax: 96, readsMax: Infinity, bytesMax: Infinity, farness: Infinity });
    expect({ spans, candidates }).toEqual({ spans: null, candidates: 800 });
    expect(budgetOf({ ...plain, near: true, admittedRows: 1_000 }).probes).toBe(null);
  });
});
