import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeRecord } from "./copies.ts";
import { encodeEntry, type LedgerEntry } from "./entry.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const fence = fc.record({ sequence: fc.nat().map(String), epoch: fc.nat() });
const commitment = fc.option(hash);
const place = { site: text, jurisdiction: text };
const about = {
  sequence: fc.nat().map(String),
  reason: text,
  policy: text,
  epoch: fc.nat(),
  document: hash,
  class: text,
  at: text,
};

// As the fields come, in no order; the package writes RFC 8785.
it("encodes every kind of entry in canonical form", () => {
  const entry: fc.Arbitrary<LedgerEntry> = fc.oneof(
    fc.record({
      kind: fc.constant("planned" as const),
      copies: fc.array(fc.record(place)),
      commitment,
      ...about,
    }),
    fc.record({ kind: fc.constant("applied" as const), ...place, commitment, ...about }),
    fc.record({ kind: fc.constantFrom("withdrawn" as const, "erased" as const), ...place, ...about }),
    fc.record({ kind: fc.constant("state" as const), root: text, at: text }),
  );
  fc.assert(
    fc.property(entry, (each) => {
      expect(encodeEntry(each)).toBe(canonicalize(each));
    }),
  );
});

it("encodes a document's record in canonical form", () => {
  const copy = fc.record({
    planned: fence,
    applied: fc.option(fence),
    class: text,
    policy: text,
    commitment,
    at: text,
    ...place,
  });
  const record = fc.record({ document: hash, copies: fc.array(copy) });
  fc.assert(
    fc.property(record, (each) => {
      expect(encodeRecord(each)).toBe(canonicalize(each));
    }),
  );
});
