import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseNetwork } from "./load.ts";
import { modelsOf } from "./models.ts";
import { NetworkFileError } from "./yaml-text.ts";

const TEXT = readFileSync(new URL("network.yaml", import.meta.url), "utf8");

/** Each case: what to change in the shipped file, then the path, the line's text, a part of what was expected and of what to write. */
const CASES: readonly (readonly [
  title: string,
  change: readonly [string, string],
  path: string,
  line: string,
  expected: string,
  write: string,
])[] = [
  [
    "an unknown key",
    ["budget_ms: 50 }", "budget: 50 }"],
    "tiers.ultra-hot.budget",
    "budget: 50",
    "capacity, deadline_ms, budget_ms",
    "budget_ms instead",
  ],
  [
    "a missing key",
    ["    running: true\n    hostname: primary", "    hostname: primary"],
    "sites[0].running",
    "- id: dk-cph",
    "declared, takes no copies",
    "running: true",
  ],
  [
    "a missing section",
    ["embedding: {", "embeddings: {"],
    "embedding",
    "version: 1",
    "how vectors are made",
    "model: hashed-384-v1",
  ],
  [
    "a country by name",
    ["country: DE", "country: Germany"],
    "sites[2].country",
    "country: Germany",
    "ISO 3166-1",
    "country: DK",
  ],
  [
    "an unassigned country",
    ["country: DE", "country: XK"],
    "sites[2].country",
    "country: XK",
    "assigned",
    "country: DK",
  ],
  [
    "a wrong type",
    ["capacity: 1000", "capacity: many"],
    "tiers.ultra-hot.capacity",
    "capacity: many",
    "1 to 10000000",
    "capacity: 1000",
  ],
  [
    "an unknown kind",
    ["kind: standby", "kind: replica"],
    "sites[1].kind",
    "kind: replica",
    "primary, standby, regional, edge, archive",
    "kind:",
  ],
  [
    "a second primary",
    ["kind: standby", "kind: primary"],
    "sites[1].kind",
    "kind: primary #",
    "exactly one",
    "kind: standby",
  ],
  [
    "no primary",
    ["kind: primary", "kind: standby"],
    "sites",
    "sites:",
    "exactly one site of kind primary",
    "kind: primary",
  ],
  [
    "a primary that does not run",
    ["    running: true\n    hostname: primary", "    running: false\n    hostname: primary"],
    "sites[0].running",
    "running: false",
    "a running primary",
    "running: true",
  ],
  [
    "two sites with one id",
    ["id: eu-arn", "id: eu-fra"],
    "sites[3].id",
    "id: eu-fra",
    "sites[2] has it already",
    "another id",
  ],
  [
    "two sites with one bucket",
    ["name: kattegat-cold-global", "name: kattegat-cold-eu"],
    "sites[5].bucket.name",
    "bucket: { name: kattegat-cold-eu }",
    "sites[4]",
    "another bucket",
  ],
  [
    "an EU bucket in the global zone",
    ["name: kattegat-cold-global", "name: kattegat-cold-global, jurisdiction: eu"],
    "sites[5].bucket.jurisdiction",
    "kattegat-cold-global",
    "never bound in the zone global",
    "bucket: { name: kattegat-cold-global }",
  ],
  [
    "the EU zone without an EU bucket",
    [", jurisdiction: eu }", " }"],
    "sites[4].bucket.jurisdiction",
    "kattegat-cold-eu",
    "jurisdiction eu",
    "jurisdiction: eu",
  ],
  [
    "an edge site without a zone",
    ["    zone: global\n", ""],
    "sites[5].zone",
    "edge-global",
    "a zone",
    "zone: eu",
  ],
  [
    "a regional without a cluster's factors",
    [
      "    qdrant: { replication_factor: 2, write_consistency_factor: 2 }\n\n  - id: eu-arn",
      "\n  - id: eu-arn",
    ],
    "sites[2].qdrant",
    "eu-fra",
    "a qdrant",
    "replication_factor",
  ],
  [
    "an edge site with a country",
    ["    zone: global\n", "    zone: global\n    country: DK\n"],
    "sites[5].country",
    "country: DK",
    "no country",
    "remove country",
  ],
  [
    "more confirmations than copies",
    ["write_consistency_factor: 2", "write_consistency_factor: 3"],
    "sites[2].qdrant.write_consistency_factor",
    "write_consistency_factor: 3",
    "at most replication_factor, 2",
    "write_consistency_factor: 2",
  ],
  [
    "capacities that do not ascend",
    ["capacity: 49000", "capacity: 400000"],
    "tiers.warm.capacity",
    "warm:",
    "at least 400000",
    "capacity: 400000",
  ],
  [
    "a deadline before the promise",
    ["deadline_ms: 1500", "deadline_ms: 400"],
    "tiers.warm.deadline_ms",
    "warm:",
    "at least 500, its budget_ms",
    "deadline_ms: 500",
  ],
  [
    "budgets that do not ascend",
    ["budget_ms: 200 ", "budget_ms: 20 "],
    "tiers.hot.budget_ms",
    "hot:",
    "at least 50",
    "budget_ms: 50",
  ],
  [
    "an unknown country group",
    ["countries: [EU, EU-regions", "countries: [EUROPE, EU-regions"],
    "classes.eu.serve.countries[0]",
    "EUROPE",
    "EU, EU-regions, EEA, adequacy",
    "declare the group",
  ],
  [
    "an unknown zone",
    ["    cache:\n      zones: [eu]\n", "    cache:\n      zones: [europe]\n"],
    "classes.eu.cache.zones[0]",
    "europe",
    "eu, global",
    "eu",
  ],
  [
    "a cache in a zone that the class may not pass",
    ["    cache:\n      zones: []\n", "    cache:\n      zones: [global]\n"],
    "classes.dk-only.transit.zones",
    "zones: [eu]",
    "the zone global",
    "zones: [eu, global]",
  ],
  [
    "a store in a country that the class may not pass",
    ["    store:\n      countries: [EU]\n", "    store:\n      countries: [EU, NO]\n"],
    "classes.eu.transit.countries",
    "countries: [EU]",
    "NO, because store",
    "countries: [EU, NO]",
  ],
  [
    "a class with no legal home",
    ["    store:\n      countries: [DK]\n", "    store:\n      countries: []\n"],
    "classes.dk-only.store",
    "store:",
    "class dk-only in tier ultra-hot, hot, warm, cold",
    "DK",
  ],
  [
    "a class that only a regional may hold",
    ["    store:\n      countries: [EU]\n", "    store:\n      countries: [DE]\n"],
    "classes.eu.store",
    "store:",
    "dk-cph in DK, which store does not allow",
    "DK",
  ],
  [
    "a class name in capitals",
    ["  dk-only:", "  DK-only:"],
    "classes.DK-only",
    "DK-only:",
    "a class name",
    "dk-only",
  ],
  [
    "an endpoint without its url",
    ["provider: hashed", "provider: openai"],
    "embedding.url",
    "embedding:",
    "the base URL",
    "url: http",
  ],
  [
    "a model that the built-in embedder does not make",
    ["model: hashed-384-v1", "model: foo"],
    "embedding.model",
    "embedding:",
    "hashed-384-v1, because provider is hashed with 384 dimensions",
    "model: hashed-384-v1",
  ],
  [
    "dimensions that are not the model's",
    ["dimensions: 384", "dimensions: 256"],
    "embedding.model",
    "embedding:",
    "hashed-256-v1, because provider is hashed with 256 dimensions",
    "dimensions: 384",
  ],
  [
    "a trained embedding by a name that training does not give",
    ["provider: hashed", "provider: learned"],
    "embedding.model",
    "embedding:",
    "learned-<dimensions>-<16 hexadecimal digits>, because provider is learned",
    "kattegat embedding train",
  ],
  [
    "dimensions that are not the trained embedding's",
    [
      "provider: hashed, model: hashed-384-v1, dimensions: 384",
      "provider: learned, model: learned-256-0123456789abcdef, dimensions: 384",
    ],
    "embedding.dimensions",
    "embedding:",
    "256, because the model is learned-256-0123456789abcdef",
    "dimensions: 256",
  ],
  [
    "a trained embedding of dimensions that training does not take",
    [
      "provider: hashed, model: hashed-384-v1, dimensions: 384",
      "provider: learned, model: learned-10-0123456789abcdef, dimensions: 10",
    ],
    "embedding.model",
    "embedding:",
    "a multiple of 4 from 8 to 1024 dimensions",
    "kattegat embedding train",
  ],
  [
    "a trained embedding's name beside the built-in provider",
    ["model: hashed-384-v1", "model: learned-384-0123456789abcdef"],
    "embedding.model",
    "embedding:",
    "hashed-384-v1, because provider is hashed",
    "or provider: learned",
  ],
  [
    "a url beside a trained embedding",
    [
      "provider: hashed, model: hashed-384-v1, dimensions: 384",
      "provider: learned, model: learned-384-0123456789abcdef, dimensions: 384, url: http://127.0.0.1/v1",
    ],
    "embedding.url",
    "embedding:",
    "no url, because provider is learned",
    "remove url",
  ],
  [
    "synchronous writes without a running standby",
    ["synchronous: false }\n", "synchronous: true }\n"],
    "writes.synchronous",
    "writes:",
    "a running standby",
    "synchronous: false",
  ],
  [
    "a later version of the format",
    ["version: 1", "version: 2"],
    "version",
    "version: 2",
    "version of this file's format",
    "version: 1",
  ],
];

const withNext = (next: string): string =>
  TEXT.replace("dimensions: 384 }", `dimensions: 384, next: { ${next} } }`);

describe("parseNetwork", () => {
  it("takes a model that is to come beside the one that serves", () => {
    const network = parseNetwork(withNext("provider: hashed, model: hashed-256-v1, dimensions: 256"));
    expect(modelsOf(network).map(({ model }) => model)).toEqual(["hashed-384-v1", "hashed-256-v1"]);
    expect(modelsOf(parseNetwork(TEXT)).map(({ model }) => model)).toEqual(["hashed-384-v1"]);
  });

  it.each([
    ["provider: hashed, model: foo, dimensions: 256", "embedding.next.model", "hashed-256-v1, because"],
    ["provider: openai, model: foo, dimensions: 256", "embedding.next.url", "the base URL"],
    [
      "provider: learned, model: learned-64-0123456789abcdef, dimensions: 60",
      "embedding.next.dimensions",
      "64,",
    ],
    ["provider: hashed, model: hashed-384-v1, dimensions: 384", "embedding.next.model", "another model than"],
    ["provider: none, model: own, dimensions: 384", "embedding.next.provider", "hashed, learned, openai"],
  ])("checks the model that is to come as the one that serves: %s", (next, path, expected) => {
    const [problem, ...others] = failureOf(withNext(next)).problems;
    expect(others).toEqual([]);
    expect(problem?.path.join(".")).toBe(path);
    expect(problem?.expected).toContain(expected);
  });

  it("takes a trained embedding with its own dimensions", () => {
    const { embedding } = parseNetwork(
      TEXT.replace(
        "provider: hashed, model: hashed-384-v1, dimensions: 384",
        "provider: learned, model: learned-64-0123456789abcdef, dimensions: 64",
      ),
    );
    expect(embedding).toMatchObject({ provider: "learned", dimensions: 64 });
  });

  it.each([
    ["[DK, DE]", "[EU]", []],
    ["[EU]", "[EU, EEA]", []],
    ["[EU]", "[DK, DE]", ["EU, because"]],
    ["[DK, GB]", "[EU]", ["GB, because"]],
  ])("lets what rests in %s pass through %s, by the countries meant", (store, transit, expected) => {
    const text = TEXT.replace(
      /( {2}eu:[^]*?store:\n {6}countries: )\[EU\]([^]*?transit:\n {6}countries: )\[EU\]/,
      `$1${store}$2${transit}`,
    );
    expect(text).toContain(`countries: ${transit}`);
    const found = problemsOf(text).filter(({ path }) => path.join(".") === "classes.eu.transit.countries");
    expect(found.map((problem) => problem.expected.slice(0, 11))).toEqual(
      expected.map((each) => each.slice(0, 11)),
    );
  });

  it.each(CASES)(
    "reports %s with path, line, what was expected and what to write",
    (_title, [from, to], path, line, expected, write) => {
      expect(TEXT).toContain(from);
      const text = TEXT.replace(from, to);
      const error = failureOf(text);
      const problem = error.problems.find(
        (candidate) =>
          error.message.includes(`${path} (line ${candidate.line})`) && candidate.expected.includes(expected),
      );
      expect(problem, error.message).toBeDefined();
      expect(text.split("\n")[(problem?.line ?? 0) - 1]).toContain(line);
      expect(problem?.write).toContain(write);
    },
  );

  it("reports every problem of a file in one message, those between parts too", () => {
    const error = failureOf(
      TEXT.replace("country: DE", "country: Germany")
        .replace("lag_ms_max: 30000", "lag_ms_max: -3")
        .replace("    cache:\n      zones: []\n", "    cache:\n      zones: [global]\n"),
    );
    expect(error.problems.map((problem) => problem.path.join("."))).toEqual([
      "sites.2.country",
      "limits.lag_ms_max",
      "classes.dk-only.transit.zones",
      "classes.dk-only.cache.zones",
    ]);
    expect(error.message.split("\n")).toHaveLength(5);
  });

  it("does not let one fault of shape hide another fault of the same part", () => {
    const error = failureOf(
      TEXT.replace("kind: standby", "kind: replica")
        .replace("country: DE", "country: XK")
        .replace("id: eu-arn", "id: eu-fra")
        .replace("capacity: 1000", "capacity: -5")
        .replace("    cache:\n      zones: []\n", "    cache:\n      zones: [global]\n")
        .replace("model: hashed-384-v1", "model: foo"),
    );
    expect(error.problems.map((problem) => problem.path.join(".")).toSorted()).toEqual([
      "classes.dk-only.cache.zones",
      "classes.dk-only.transit.zones",
      "embedding.model",
      "sites.1.kind",
      "sites.2.country",
      "sites.3.id",
      "tiers.ultra-hot.capacity",
    ]);
  });

  it("reports what a site lacks beside what it has in a wrong form, without guessing about the rest", () => {
    const error = failureOf(
      TEXT.replace(
        "    running: true\n    hostname: primary",
        "    running: perhaps\n    zone: eu\n    hostname: primary",
      ),
    );
    expect(error.problems.map((problem) => problem.path.join(".")).toSorted()).toEqual([
      "sites.0.running",
      "sites.0.zone",
    ]);
  });

  it("closes every quotation of a message", () => {
    const { message } = failureOf("version: [1\nsites: 2");
    expect(message).toMatch(/found "[^"]*"\. Write/);
  });

  it.each([
    ["nothing", ""],
    ["a list", "- a\n- b\n"],
    ["a text", "hello"],
    ["an open bracket", "version: [1\nsites: 2"],
    ["a tab for indentation", "version: 1\nsites:\n\t- id: x\n"],
    ["a key twice", "version: 1\nversion: 1\n"],
    ["an unknown tag", "version: !!python/object 1\n"],
    ["two documents", "version: 1\n---\nversion: 1\n"],
    ["an alias of nothing", "version: *one\n"],
    ["aliases that multiply", "a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n"],
    ["a key from the prototype", "__proto__: { version: 1 }\nconstructor: 1\n"],
    ["a megabyte of text", "#".repeat(1_000_001)],
  ])("refuses %s with a NetworkFileError", (_title, text) => {
    expect(failureOf(text).problems.length).toBeGreaterThan(0);
  });

  it("names the file that it was given", () => {
    expect(() => parseNetwork("", { file: "other.yaml" })).toThrow(/^other\.yaml has 1 problem:/);
  });
});

/** Those of a file that may be a valid one. */
function problemsOf(text: string): NetworkFileError["problems"] {
  try {
    parseNetwork(text);
    return [];
  } catch (error) {
    if (error instanceof NetworkFileError) return error.problems;
    throw error;
  }
}

function failureOf(text: string): NetworkFileError {
  try {
    parseNetwork(text);
  } catch (error) {
    if (error instanceof NetworkFileError) return error;
    throw error;
  }
  throw new Error("the file was taken for a valid one");
}
