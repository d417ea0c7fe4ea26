import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../settings.ts";
import { cleanId, mapRecord } from "./evaluate.ts";
import { MappingError, parseMapping as parse, type Mapping } from "./mapping.ts";

const parseMapping = (text: string): Mapping => parse(text, { file: "test.yaml" });

const danishLaw = parseMapping(readFileSync(join(ROOT, "ops", "mappings", "danish-law.yaml"), "utf8"));

const act = {
  id: "dk 2018/502",
  title: "Databeskyttelsesloven",
  kind: "LOV",
  issued: "2018-05-23",
  url: "https://example.org/502",
  provisions: [
    { ref: "1", section: "§ 1", text: "§ 1. Loven supplerer forordningen." },
    { ref: "2", section: "§ 2", text: "  " },
  ],
};

describe("a mapping", () => {
  it("makes an act with its provisions a document with passages", () => {
    expect(mapRecord(danishLaw, act).document).toEqual({
      id: "dk-2018-502",
      title: "Databeskyttelsesloven",
      lang: "da",
      collection: "default",
      published_at: "2018-05-23",
      passages: [{ text: "§ 1. Loven supplerer forordningen." }],
      importance: 0.95,
      residency: "global",
      metadata: { kind: "LOV", issued: "2018-05-23", url: "https://example.org/502" },
    });
  });

  it.each([
    [{ title: "Lov for Grønland" }, "dk-only"],
    [{ kind: "LBK" }, "eu"],
    [{ kind: "BEK", issued: "2013-12-31" }, "eu"],
    [{ kind: "BEK", issued: "2014-01-01" }, "global"],
  ])("takes the first case that holds: %o is %s", (fields, residency) => {
    expect(mapRecord(danishLaw, { ...act, ...fields }).document["residency"]).toBe(residency);
  });

  it("gives a lookup's default for a key that the table lacks, inherited names included", () => {
    expect(mapRecord(danishLaw, { ...act, kind: "constructor" }).document["importance"]).toBe(0.3);
  });

  it("reports every problem of its file in one message", () => {
    const wrong = 'version: 2\nid: { path: "a b" }\ntitel: { path: t }\n';
    expect(() => parseMapping(wrong)).toThrow(MappingError);
    expect(() => parseMapping(wrong)).toThrow(/version[\s\S]*id[\s\S]*titel/);
  });

  it("refuses a regular expression that does not compile", () => {
    const wrong =
      'version: 1\nid: { path: a }\ntitle: { path: t }\ntext: { path: t }\nresidency: { cases: [{ when: { path: t, matches: "(" }, then: { value: eu } }] }\n';
    expect(() => parseMapping(wrong)).toThrow(MappingError);
  });
});

describe("an id", () => {
  it.each([
    ["§ 12/æøå", "--12-aeoeaa"],
    ["Straße Éclair", "Strasse-Eclair"],
    ["x".repeat(300), "x".repeat(256)],
    ["ok.id_~-1", "ok.id_~-1"],
  ])("%s becomes %s", (given, expected) => {
    expect(cleanId(given)).toBe(expected);
  });
});
