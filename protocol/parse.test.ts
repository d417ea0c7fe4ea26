import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ERROR_KINDS, KattegatError, isErrorCode } from "./errors.ts";
import { parseJson, parseShape } from "./parse.ts";
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

  it("shows no more of a body that does not parse than its parser's position", () => {
    const secret = "the client's name is Jensen";
    expect(errorOf(() => parseJson(z.unknown(), `{"query": "${secret}`)).message).not.toContain("Jensen");
    expect(errorOf(() => parseJson(z.unknown(), `{"query": ${secret}}`)).message).not.toContain("Jensen");
    expect(errorOf(() => parseJson(z.unknown(), secret)).message).not.toContain("client");
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

  it("shows nothing of an error that is no operating error", () => {
    const problem = problemOf(new TypeError("password is hunter2"), "request-1");
    expect(problem).toMatchObject({ code: "internal", status: 500 });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  it("is no code what merely stands on the table's prototype", () => {
    for (const name of ["constructor", "toString", "__proto__", "", null, 1])
      expect(isErrorCode(name)).toBe(false);
  });
});
