import { describe, expect, it } from "vitest";
import { z } from "zod";
import { documentIdSchema } from "./documents.ts";
import { ERROR_KINDS, KattegatError, isErrorCode } from "./errors.ts";
import { parseJson, parsePathPart, parseShape } from "./parse.ts";
import { errorOfProblem, problemOf, problemSchema } from "./problem.ts";
import { searchRequestSchema } from "./search.ts";

function errorOf(run: () => unknown): KattegatError {
  try {
    run();
  } catch (error) {
    if (error instanceof KattegatError) return error;
    throw error;
  }
  throw new Error("expected a KattegatError");
}

describe("parsing a request", () => {
  it("names each bad field by a JSON pointer", () => {
    const error = errorOf(() => parseShape(searchRequestSchema, { query: "x", limit: 0, offset: -1 }));
    expect(error.code).toBe("bad_request");
    expect(error.errors.map(({ pointer }) => pointer)).toEqual(["/limit", "/offset"]);
  });

  it("names each unknown field, escaped as RFC 6901 says", () => {
    const error = errorOf(() => parseShape(searchRequestSchema, { query: "x", "a/b~c": 1, tires: [] }));
    expect(error.errors.map(({ pointer }) => pointer)).toEqual(["/a~1b~0c", "/tires"]);
  });

  it("names at most twenty fields, counts the others", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 1]));
    const error = errorOf(() => parseShape(searchRequestSchema, { query: "x", ...many }));
    expect(error.errors).toHaveLength(20);
    expect(error.message).toContain("49 more");
  });

  it("says what is wrong in the form of a union that the caller meant", () => {
    const schema = z.object({
      v: z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.object({ c: z.int() }) })]),
    });
    const error = errorOf(() => parseShape(schema, { v: { b: { c: "x" } } }));
    expect(error.errors[0]).toMatchObject({ pointer: "/v" });
    expect(error.errors[0]?.detail).toContain("/b/c");
  });

  it.each(["", "{", "[1,]", "undefined", "\u0000"])("answers bad_json for %j", (text) => {
    expect(errorOf(() => parseJson(z.unknown(), text)).code).toBe("bad_json");
  });

  it("shows no more of a body that does not parse than its parser's position (I17)", () => {
    const secret = "the client's name is Jensen";
    expect(errorOf(() => parseJson(z.unknown(), `{"query": "${secret}`)).message).not.toContain("Jensen");
    expect(errorOf(() => parseJson(z.unknown(), `{"query": ${secret}}`)).message).not.toContain("Jensen");
    expect(errorOf(() => parseJson(z.unknown(), secret)).message).not.toContain("client");
  });
});

describe("the error of a field", () => {
  const detailOf = (request: unknown): readonly unknown[] => {
    const [first] = errorOf(() => parseShape(searchRequestSchema, request)).errors;
    return [first?.pointer, first?.detail];
  };

  it.each([
    [{ query: "a", limit: 500 }, "/limit", "expected at most 100; a greater number came"],
    [{ query: "a", limit: 0 }, "/limit", "expected at least 1; a smaller number came"],
    [{ query: "a", limit: 1.5 }, "/limit", "expected a whole number; a number that is not whole came"],
    [{ query: "a", limit: "5" }, "/limit", "expected a number; text came"],
    [{ query: 7 }, "/query", "expected text; a whole number came"],
    [{ query: "" }, "/query", "expected at least 1 character; none came"],
    [{ query: "a", tiers: [] }, "/tiers", "expected at least 1 entry; none came"],
    [{ query: "a", mode: "b" }, "/mode", 'expected one of "hybrid", "dense", "lexical"; other text came'],
    [{ query: "a", filter: [1] }, "/filter", "expected an object; a list came"],
    ["a", "", "expected an object; text came"],
  ])("says of %j what was expected, what came", (request, pointer, detail) => {
    expect(detailOf(request)).toEqual([pointer, detail]);
  });

  it("counts what is too long", () => {
    expect(detailOf({ query: "x".repeat(2_001) })).toEqual([
      "/query",
      "expected at most 2,000 characters; 2,001 came",
    ]);
    expect(
      detailOf({ query: "a", filter: { must: [{ has_id: Array.from({ length: 1_001 }, String) }] } }),
    ).toEqual(["/filter/must/0/has_id", "expected at most 1,000 entries; 1,001 came"]);
  });

  it.each([
    [
      { key: "a", match: {} },
      "/match",
      "expected an object with `value`, `any`, `except` or `text`; another object came",
    ],
    [
      { key: "a", match: { value: null } },
      "/match/value",
      "expected text, a whole number, true or false; null came",
    ],
    [{ key: "a", match: { any: ["x", 1] } }, "/match/any/1", "expected text; a whole number came"],
    [{ key: "a" }, "", "expected `match`, `range` or `values_count` beside `key`; none came"],
    [{ key: "a", range: { above: 1 } }, "/range/above", "this field is not known; remove it"],
    [
      { key: "a", range: { gte: "yesterday" } },
      "/range/gte",
      "expected a time such as 2026-01-31T12:00:00Z; other text came",
    ],
    [{ nested: { key: "a" } }, "/nested/filter", "expected an object; it is missing"],
    [{ hasid: ["x"] }, "/hasid", "this field is not known; remove it"],
    [7, "", "expected a condition; a whole number came"],
  ])("says of the condition %j what is wrong with the form that was meant", (condition, place, detail) => {
    expect(detailOf({ query: "a", filter: { must: [condition] } })).toEqual([
      `/filter/must/0${place}`,
      detail,
    ]);
  });

  it("never holds the value (I17)", () => {
    const secret = "Jensen";
    for (const request of [
      { query: "a", mode: secret },
      { query: "a", filter: { must: [{ key: "a", match: secret }] } },
      { query: "a", filter: { must: [{ key: "a", range: { gte: secret } }] } },
      { query: "a", limit: secret },
    ]) {
      const error = errorOf(() => parseShape(searchRequestSchema, request));
      expect(JSON.stringify([error.message, error.errors])).not.toContain(secret);
    }
  });

  it("says of a part of the path where it stands", () => {
    const error = errorOf(() => parsePathPart(documentIdSchema, "a b", "id"));
    expect(error).toMatchObject({ code: "bad_request", errors: [{ pointer: "/id" }] });
    expect(error.message).toMatch(/^The id in the path: expected 1 to 256 /);
  });
});

describe("a problem document", () => {
  it("goes to another site and comes back as the same error, for each code", () => {
    for (const code of Object.keys(ERROR_KINDS).filter(isErrorCode)) {
      const error = new KattegatError(code, "why", { errors: [{ pointer: "/a", detail: "bad" }] });
      const problem = problemSchema.parse(JSON.parse(JSON.stringify(problemOf(error, "request-1"))));
      expect(problem).toMatchObject({
        code,
        status: ERROR_KINDS[code].status,
        detail: "why",
        request_id: "request-1",
      });
      expect(errorOfProblem(problem)).toMatchObject({
        code,
        message: "why",
        errors: [{ pointer: "/a", detail: "bad" }],
      });
    }
  });

  it("shows nothing of an error that is no operating error (I17)", () => {
    const problem = problemOf(new TypeError("password is hunter2"), "request-1");
    expect(problem).toMatchObject({ code: "internal", status: 500 });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  it("is no code what merely stands on the table's prototype", () => {
    for (const name of ["constructor", "toString", "__proto__", "", null, 1])
      expect(isErrorCode(name)).toBe(false);
  });
});
