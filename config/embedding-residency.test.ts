import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { barredFrom, trainingClasses } from "./embedding-residency.ts";
import { parseNetwork } from "./load.ts";

const TEXT = readFileSync(new URL("network.yaml", import.meta.url), "utf8");

it("takes only classes that may rest at every site which receives the artefact (I5)", () => {
  expect(trainingClasses(parseNetwork(TEXT))).toEqual({
    taken: ["global"],
    leftOut: [
      { className: "dk-only", sites: ["edge-eu", "edge-global"] },
      { className: "eu", sites: ["edge-global"] },
    ],
  });
});

it("takes a class once no receiving site is barred from it, whether that site runs or not", () => {
  const network = parseNetwork(TEXT);
  const without = {
    ...network,
    sites: network.sites.filter(({ id }) => id !== "edge-global"),
  };
  expect(trainingClasses(without).taken).toEqual(["eu", "global"]);
  const declared = {
    ...network,
    sites: network.sites.map((site) => (site.id === "edge-global" ? { ...site, running: false } : site)),
  };
  expect(trainingClasses(declared).taken).toEqual(["global"]);
});

it("leaves out a class whose results may not rest in the cache of a receiving zone", () => {
  const network = parseNetwork(TEXT);
  const { global } = network.classes;
  if (global === undefined) throw new Error("expected the class global");
  const uncached = { ...network, classes: { global: { ...global, cache: { zones: [] } } } };
  expect(trainingClasses(uncached)).toEqual({
    taken: [],
    leftOut: [{ className: "global", sites: ["edge-eu", "edge-global"] }],
  });
});

it("bars an embedding from a site by each class that it was trained from, and from a site that is not listed (I5)", () => {
  const network = parseNetwork(TEXT);
  expect(barredFrom(network, ["eu", "global"], { id: "edge-eu" })).toEqual([]);
  expect(barredFrom(network, ["eu", "global"], { id: "edge-global" })).toEqual(["eu"]);
  expect(barredFrom(network, ["global", "mars"], { id: "edge-eu" })).toEqual(["mars"]);
  expect(barredFrom(network, ["global"], { id: "nowhere" })).toEqual(["global"]);
});
