import { expect, it } from "vitest";
import { KnownNames } from "./known-names.ts";

it("forgets the document first that was written least recently", () => {
  const names = new KnownNames(2);
  names.set("a", "1");
  names.set("b", "2");
  names.set("a", "3");
  names.set("c", "4");
  expect(["a", "b", "c"].map((document) => names.get(document))).toEqual(["3", null, "4"]);
});
