import type { FoundCopy, PlannedCopy } from "@kattegat/protocol/digests.ts";
import { describe, expect, it } from "vitest";
import { judge, type Evidence } from "./judge.ts";

const planned: PlannedCopy = {
  key: "0123456789abcdef",
  document_id: "case",
  version: "40",
  class: "eu",
  digest: "d40",
  passages: 3,
  sequence: "50",
};
const right: FoundCopy = {
  document_id: "case",
  version: "40",
  class: "eu",
  digest: "d40",
  passages: 3,
  damaged: 0,
};

function verdict(change: Partial<Evidence>): string {
  const evidence: Evidence = {
    documentId: "case",
    planned,
    found: [right],
    lastChange: "50",
    settledAt: "60",
    mayHold: (name) => name !== "dk-only",
    ...change,
  };
  const judged = judge(evidence);
  return typeof judged === "object" ? judged.kind : judged;
}

describe("a copy", () => {
  it("is right when all that its store tells is as planned (I25)", () => {
    expect(verdict({})).toBe("right");
    expect(verdict({ found: [{ ...right, digest: null, passages: null }] })).toBe("right");
    expect(verdict({ planned: null, found: [] })).toBe("right");
  });

  const found = (change: Partial<FoundCopy>): Partial<Evidence> => ({ found: [{ ...right, ...change }] });
  const cases: readonly (readonly [string, Partial<Evidence>])[] = [
    ["leak", found({ class: "dk-only" })],
    ["leak", { planned: null, ...found({ class: "dk-only", damaged: 1 }) }],
    ["extra", { planned: null }],
    ["extra", { planned: null, lastChange: null }],
    ["extra", found({ passages: 4 })],
    ["extra", { found: [right, { ...right, version: "12", passages: 1 }] }],
    ["missing", { found: [] }],
    ["missing", found({ passages: 2 })],
    ["corrupted", found({ passages: 2, damaged: 1 })],
    ["corrupted", found({ passages: null, digest: null, class: null, damaged: 3 })],
    ["stale", found({ version: "9" })],
    ["stale", found({ version: "9", damaged: 3, passages: 0 })],
    ["divergent", found({ version: "41" })],
    ["divergent", found({ version: "none" })],
    ["divergent", found({ class: "global" })],
    ["divergent", found({ digest: "other" })],
  ];
  it.each(cases)(
    "is %s by what was found, case %#, and pending while a change of it may be on its way (I25)",
    (kind, change) => {
      expect(verdict(change)).toBe(kind);
      expect(verdict({ ...change, lastChange: "61" })).toBe("pending");
      expect(verdict({ ...change, settledAt: "49", lastChange: "50" })).toBe("pending");
    },
  );
});
