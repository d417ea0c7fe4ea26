import { expect, it } from "vitest";
import { editionName } from "./edition.ts";

it("names an edition by its model, readable, in characters that every store takes", () => {
  const name = editionName({ model: "hashed-384-v1", dimensions: 384 });
  expect(name).toMatch(/^hashed-384-v1\.[0-9a-f]{8}$/);
  const long = editionName({ model: `BAAI/bge:${"m".repeat(119)}`, dimensions: 1_024 });
  expect(long).toMatch(/^BAAI_bge_m+\.[0-9a-f]{8}$/);
  expect(long.length).toBeLessThan(80);
});

it("gives models and dimensions that differ names that differ", () => {
  const models = ["a/b", "a:b", "a_b", "x".repeat(100), "x".repeat(101)];
  const names = models.flatMap((model) => [384, 768].map((dimensions) => editionName({ model, dimensions })));
  expect(new Set(names).size).toBe(10);
});
