import { copyDigest, sumOf } from "@kattegat/engine/digests/copy-digest.ts";
import { expect, it } from "vitest";
import { pointsOf } from "../qdrant/passage-point.ts";
import { vectorsOf } from "../qdrant/passage-vectors.ts";
import { DIMENSIONS, put } from "../site.fixture.ts";
import { observed, pointName, pointNumber, readPoint, type StoredPoint } from "./point-reading.ts";

const holding = { epoch: 1, sequence: "7", digest: "d7", passages: 2, ordinal_max: 2, late: false };

function stored(): readonly StoredPoint[] {
  const metadata = { b: 1.5, a: { d: [1, "x"], c: null } };
  const change = put({ id: "case", sequence: 7, texts: ["one", "two"], digest: "d7", metadata });
  if (change.kind !== "put") throw new Error("expected a put");
  const vectors = change.document.passages.map((passage) => {
    const found = vectorsOf(passage, DIMENSIONS);
    if (typeof found === "string") throw new Error(found);
    return found;
  });
  return pointsOf(change.document, vectors, holding);
}

const soundness = (points: readonly StoredPoint[]): readonly boolean[] =>
  points.map((point) => readPoint(point).isSound);

it("adds up to the digest that the log plans for the copy (I25)", () => {
  const sum = stored().reduce((total, point) => sumOf(total, observed(point).digest), 0n);
  const planned = { documentId: "case", version: "7", residency: "eu", digest: "d7", passages: 2 };
  expect(sum).toBe(copyDigest(planned));
});

it("is sound however the store orders an object's keys and scales a vector (I25)", () => {
  const points = stored().map(({ payload, vector, ...point }) => {
    const { dense, lexical } = Object.fromEntries(Object.entries(vector ?? {}));
    const scaled = Array.isArray(dense) ? dense.map((value) => Number(value) * 1.000_000_1) : [];
    const metadata = { a: { c: null, d: [1, "x"] }, b: 1.5 };
    const turned = Object.fromEntries(Object.entries({ ...payload, metadata }).toReversed());
    return { ...point, payload: turned, vector: { dense: scaled, lexical } };
  });
  expect(soundness(points)).toEqual([true, true]);
});

it("is not sound with another text, field, term, vector or place, nor without its seal (I25)", () => {
  const spoilt: readonly ((point: StoredPoint) => StoredPoint)[] = [
    (point) => ({ ...point, payload: { ...point.payload, text: "One" } }),
    (point) => ({ ...point, payload: { ...point.payload, tier: "hot" } }),
    (point) => ({ ...point, payload: { ...point.payload, more: 1 } }),
    (point) => ({ ...point, payload: { ...point.payload, seal: undefined } }),
    (point) => ({ ...point, payload: null }),
    (point) => ({ ...point, id: "00000000-0000-4000-8000-000000000001" }),
    (point) => ({ ...point, vector: {} }),
    ({ vector, ...point }) => {
      const { dense, lexical } = Object.fromEntries(Object.entries(vector ?? {}));
      return { ...point, vector: { dense: Array.isArray(dense) ? dense.toReversed() : [], lexical } };
    },
    ({ vector, ...point }) => {
      const { dense } = Object.fromEntries(Object.entries(vector ?? {}));
      return { ...point, vector: { dense, lexical: { indices: [7, 1_000], values: [9, 2] } } };
    },
  ];
  for (const [at, spoil] of spoilt.entries()) {
    const points = stored().map((point, index) => (index === 1 ? spoil(point) : point));
    expect(soundness(points), `case ${at}`).toEqual([true, false]);
  }
});

it("names a point as the store does", () => {
  const id = "7b1f3ad2-5c0e-5b8e-9f43-6d1c62f0a7b4";
  expect(pointName(pointNumber(id))).toBe(id);
  expect(pointName(pointNumber("42"))).toBe(42);
});
