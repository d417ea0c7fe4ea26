import { describe, expect, it } from "vitest";
import { PARAMETER_FIELDS, SEARCH_FIELDS, searchOfParameters } from "./search-parameters.ts";

describe("search parameters", () => {
  it("carry every field of the request", () => {
    expect([...PARAMETER_FIELDS].toSorted()).toEqual(SEARCH_FIELDS.toSorted());
  });

  it("read each field as its type", () => {
    const parameters = new URLSearchParams(
      "q=a+b&limit=5&offset=0&tiers=hot,cold&explain=false&vector=[1,2]&filter={}&min_sequence=12",
    );
    expect(searchOfParameters(parameters)).toEqual({
      query: "a b",
      limit: 5,
      offset: 0,
      tiers: ["hot", "cold"],
      explain: false,
      vector: [1, 2],
      filter: {},
      min_sequence: "12",
    });
  });
});
