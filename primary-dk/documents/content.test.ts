import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import { documentInputSchema } from "@kattegat/protocol/documents.ts";
import { expect, it } from "vitest";
import { networkFile } from "../primary.fixture.ts";
import { contentOf } from "./content.ts";

const shipped = parseNetwork(readFileSync(networkFile, "utf8"));
const { eu } = shipped.classes;
if (eu === undefined) throw new Error("the shipped file has no class eu");
const network: Network = {
  ...shipped,
  classes: { ...shipped.classes, "acme-eu": { ...eu, narrows: "eu" } },
  tenants: { acme: { collections: ["acme-files"], classes: ["acme-eu"] } },
};

const seals = { digest: () => createHmac("sha256", "key") };

function put(collection: string, residency: string): string {
  const input = documentInputSchema.parse({ title: "Aftale", text: "§ 1.", collection, residency });
  return contentOf("a", input, { network, zone: "eu", seals }).residency;
}

it("takes a tenant's class in the tenant's collections, another in others, never relabelled (I22)", () => {
  expect(put("acme-files", "acme-eu")).toBe("acme-eu");
  expect(put("default", "eu")).toBe("eu");
});

it.each([
  ["acme-files", "eu", "acme-eu"],
  ["default", "acme-eu", "dk-only, eu, global"],
])(
  "refuses a document of collection %s and class %s, and says which classes it takes (I22)",
  (collection, residency, allowed) => {
    expect(() => put(collection, residency)).toThrow(
      expect.objectContaining({
        code: "residency_refused",
        message: expect.stringContaining(`takes documents of class ${allowed} alone`),
      }),
    );
  },
);
