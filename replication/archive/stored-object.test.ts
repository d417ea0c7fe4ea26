import { expect, it } from "vitest";
import { sealed } from "./archive-target.fixture.ts";
import { decodeObject, encodeObject } from "./stored-object.ts";

it("tells a document that is not as it was stored from one that is, whatever byte of it was altered (I25)", () => {
  const document = { ...sealed("a", { version: 7, residency: "eu–særlig" }), own: [] };
  const bytes = encodeObject(document);
  expect(decodeObject(bytes)).toEqual({ sealed: document, isSound: true });
  const noticed = (at: number): boolean => {
    const altered = Uint8Array.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    try {
      return !decodeObject(altered).isSound;
    } catch {
      return true;
    }
  };
  const unnoticed = Array.from(bytes.keys()).filter((at) => !noticed(at));
  expect(unnoticed).toEqual([]);
});

it("takes an object without a checksum for one that nobody vouches for, and reads it all the same", () => {
  const document = sealed("a", { version: 7 });
  expect(decodeObject(Buffer.from(JSON.stringify(document)))).toEqual({ sealed: document, isSound: false });
  for (const bad of ["", "{}", "[]", "null", '{"sha256":7}'])
    expect(() => decodeObject(Buffer.from(bad)), bad).toThrow();
});
