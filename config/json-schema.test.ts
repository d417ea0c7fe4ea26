import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { networkJsonSchema } from "./json-schema.ts";

it("is published as config/network.schema.json, which `npm test -- config -u` writes again", async () => {
  await expect(networkJsonSchema()).toMatchFileSnapshot("./network.schema.json");
});

it("is what the network file tells editors to use", () => {
  const [first] = readFileSync(new URL("network.yaml", import.meta.url), "utf8").split("\n");
  expect(first).toBe("# yaml-language-server: $schema=./network.schema.json");
});
