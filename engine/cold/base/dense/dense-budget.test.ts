import { describe, expect, it } from "vitest";
import { budgetOf } from "./dense-budget.ts";

const plain = { rows: 600_000, admittedRows: 600_000, wanted: 10, probes: null };

describe("the budget of a dense search", () => {
  it("is twelve lists or fewer and fourteen spans by default", () => {
    const { probes, spans, candidates } = budgetOf(plain);
    expect(probes?.probesMax).toBe(12);
    expect(probes?.farness).toBeLessThan(2);
    expect(spans?.spansMax).toBe(14);
    expect(candidates).toBe(100);
  });

  it("widens as the filter narrows, up to 42 reads", () => {
    const lists = [0.5, 0.2, 0.05, 0.01, 0.001].map(
      (share) => budgetOf({ ...plain, admittedRows: 600_000 * share }).probes?.probesMax ?? 0,
    );
    expect(lists).toEqual(lists.toSorted((a, b) => a - b));
    expect(lists[0]).toBe(12);
    expect(lists[1]).toBeGreaterThan(12);
    expect(lists[3]).toBe(lists[4]);
    const narrow = budgetOf({ ...plain, admittedRows: 6_000 });
    expect((narrow.probes?.probesMax ?? 0) + (narrow.spans?.spansMax ?? 0)).toBeLessThanOrEqual(42);
    expect(narrow.probes?.farness).toBe(Infinity);
  });

  it("looks at more rows when more are wanted", () => {
    const many = budgetOf({ ...plain, wanted: 1_000 });
    expect(many.candidates).toBe(1_500);
    expect(many.spans?.blocksMax).toBeGreaterThan(budgetOf(plain).spans?.blocksMax ?? 0);
    expect((many.probes?.probesMax ?? 0) + (many.spans?.spansMax ?? 0)).toBeLessThanOrEqual(42);
  });

  it("is what the caller says where the caller says it", () => {
    const { probes } = budgetOf({ ...plain, admittedRows: 50, probes: 3 });
    expect(probes).toEqual({ probesMax: 3, bytesMax: Infinity, farness: Infinity });
  });

  it("has no lists when the admitted rows are few", () => {
    expect(budgetOf({ ...plain, admittedRows: 160 }).probes).toBe(null);
    expect(budgetOf({ ...plain, admittedRows: 161 }).probes).not.toBe(null);
  });

  it("reads every candidate's block where reads are near, and no lists for a thousand rows", () => {
    const { probes, spans, candidates } = budgetOf({ ...plain, near: true, wanted: 200 });
    expect(probes).toEqual({ probesMax: 96, bytesMax: Infinity, farness: Infinity });
    expect({ spans, candidates }).toEqual({ spans: null, candidates: 800 });
    expect(budgetOf({ ...plain, near: true, admittedRows: 1_000 }).probes).toBe(null);
  });
});
