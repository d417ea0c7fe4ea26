import { parseNetwork } from "@kattegat/config/load.ts";
import networkText from "@kattegat/config/network.yaml?raw";
import { policyVersion } from "@kattegat/config/policy-version.ts";
import { expect, it } from "vitest";

it("names the same policy in workerd as SHA-256 of the platform does", async () => {
  const whole = parseNetwork(networkText);
  const network = { ...whole, sites: [], country_groups: {}, classes: {} };
  const bytes = new TextEncoder().encode('{"classes":{},"country_groups":{},"sites":[]}');
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  expect(policyVersion(network)).toBe(digest.toHex().slice(0, 16));
  expect(policyVersion(whole)).not.toBe(policyVersion(network));
});
