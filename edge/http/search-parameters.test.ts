import { describe, expect, it } from "vitest";
import { PARAMETER_FIELDS, SEARCH_FIELDS, searchOfParameters } from "./search-parameters.ts";

describe("search parameters", () => {
  it("carry every field of the request", () => {
    expect([...PARAMETER_FIELDS].toSorted()).toEqual(SEARCH_FIELDS.toSorted());
  });

  it("read each field as its type", () => {
    const query =
      "?q=a+b&limit=5&offset=0&tiers=hot,cold&explain=false&vector=[1,2]&filter={}&min_sequence=12";
    expect(searchOfParameters(query)).toEqual({
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

  it("carry text in UTF-8", () => {
    expect(searchOfParameters("?q=r%C3%A9gime%20%C3%A5%EF%BF%BD")).toEqual({ query: "régime å\uFFFD" });
    expect(searchOfParameters("?q=100%")).toEqual({ query: "100%" });
    expect(searchOfParameters("")).toEqual({});
  });

  it.each(["?q=%ff", "?q=%C3", "?q=a%C3%28", "?limit=5&q=%ED%A0%80", "?%ff=1"])(
    "refuse %s, which is not UTF-8",
    (query) => {
      expect(() => searchOfParameters(query)).toThrow(
        expect.objectContaining({ code: "bad_request", message: expect.stringContaining("UTF-8") }),
      );
    },
  );
});
