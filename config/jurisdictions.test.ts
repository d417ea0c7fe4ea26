import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { parseJurisdictions, PACKAGED_JURISDICTIONS } from "./jurisdictions.ts";
import { parseNetwork } from "./load.ts";
import { mayServe } from "./residency.ts";
import { NetworkFileError } from "./yaml-text.ts";

const file = "config/jurisdictions.yaml";
const TEXT = readFileSync(new URL("jurisdictions.yaml", import.meta.url), "utf8");
const NETWORK_TEXT = readFileSync(new URL("network.yaml", import.meta.url), "utf8");
const today = "2026-11-23";

describe("the jurisdictions that come with Kattegat", () => {
  it("are the same as JSON, which `npx vitest run config -u` writes again", async () => {
    await expect(`${JSON.stringify(parse(TEXT), null, 2)}\n`).toMatchFileSnapshot("./jurisdictions.json");
    expect(parseJurisdictions(TEXT, { file })).toEqual(PACKAGED_JURISDICTIONS);
  });

  it("count the Faroe Islands by a decision of their own, Greenland by none, the US and Canada not in part (I4)", () => {
    const network = parseNetwork(NETWORK_TEXT);
    expect(["FO", "GL", "US", "CA"].map((country) => mayServe(network, "eu", country, today))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(network.country_groups["adequacy"]?.references?.["FO"]).toBe("Decision 2010/146/EU");
    expect(network.country_groups["adequacy"]?.partial).toMatchObject({
      US: { reason: expect.stringContaining("Data Privacy Framework") },
      CA: { reason: expect.stringContaining("PIPEDA") },
    });
  });

  it.each([
    ["an expiry of a country that is not listed", "until: { GB:", "until: { IE:", "groups.adequacy.until.IE"],
    ["a date that is not one", "GB: 2031-12-27", "GB: 2031-27-12", "groups.adequacy.until.GB"],
    [
      "a decision on a country that is not listed",
      "FO: Decision",
      "GL: Decision",
      "groups.adequacy.references.GL",
    ],
    ["a country that counts and does not", "      CA:\n", "      CH:\n", "groups.adequacy.partial.CH"],
    ["a country that is none", "[AX, GF", "[AX, XK", "groups.EU-regions.countries[1]"],
    ["a country twice", "[AX, GF", "[AX, AX", "groups.EU-regions.countries[1]"],
    ["a group without a source", "    source: Art. 52 TEU\n", "", "groups.EU.source"],
    ["free flow that is no yes", "free_flow: true", "free_flow: maybe", "groups.EU.free_flow"],
  ])("are refused with %s, with path and line", (_title, from, to, path) => {
    expect(TEXT).toContain(from);
    const parsed = (): unknown => parseJurisdictions(TEXT.replace(from, to), { file });
    expect(parsed).toThrow(NetworkFileError);
    expect(parsed).toThrow(
      new RegExp(`${path.replaceAll(/[[\].]/g, "\\$&")} \\(line \\d+\\): expected .*Write `),
    );
  });
});

describe("a network file", () => {
  it("may name another file of country groups, which starts where it stands", () => {
    const asked: string[] = [];
    const read = (path: string): string => {
      asked.push(path);
      return TEXT.replace("[AD, AR, BR, CH, FO,", "[AD, AR, BR, CH,").replace(
        "      FO: Decision 2010/146/EU\n",
        "",
      );
    };
    const text = `${NETWORK_TEXT}\njurisdictions: lists/ours.yaml\n`;
    const network = parseNetwork(text, { file: "/etc/kattegat/network.yaml", read });
    expect(asked).toEqual(["/etc/kattegat/lists/ours.yaml"]);
    expect(mayServe(network, "eu", "FO", today)).toBe(false);
    expect(network).not.toHaveProperty("jurisdictions");
  });

  it("is refused when the file that it names cannot be read", () => {
    const text = `${NETWORK_TEXT}\njurisdictions: nowhere.yaml\n`;
    for (const read of [undefined, () => readFileSync("/nowhere.yaml", "utf8")])
      expect(() => parseNetwork(text, { ...(read === undefined ? {} : { read }), file: "a/b.yaml" })).toThrow(
        /jurisdictions \(line \d+\): expected a file of country groups at a\/nowhere.yaml/,
      );
  });

  it("may add groups of its own, but no name twice, and no country to which personal data flows freely", () => {
    const group = (name: string, more = ""): string =>
      `${NETWORK_TEXT}\ncountry_groups:\n  ${name}: { description: x, source: y, as_of: 2026-11-23, countries: [DK, NO]${more} }\n`;
    const text = group("nordic").replace(
      "serve:\n      countries: [DK]",
      "serve:\n      countries: [nordic]",
    );
    const network = parseNetwork(text);
    expect(mayServe(network, "dk-only", "NO", today)).toBe(true);
    expect(() => parseNetwork(group("EEA"))).toThrow(
      /country_groups\.EEA \(line \d+\): expected a name that/,
    );
    expect(() => parseNetwork(group("nordic", ", free_flow: true"))).toThrow(
      /country_groups\.nordic\.free_flow \(line \d+\): expected no free_flow/,
    );
  });
});
