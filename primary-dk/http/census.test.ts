import { randomUUID } from "node:crypto";
import { censusSchema } from "@kattegat/protocol/census.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import { expect, it } from "vitest";
import { startPostgres } from "../postgres.fixture.ts";
import { SITE, startPrimary, testKeys } from "../primary.fixture.ts";
import { createApp } from "./app.ts";
import { createMetrics } from "./metrics.ts";

it("counts documents, passages and bytes by class and tier, for the operator alone", async () => {
  const postgres = await startPostgres();
  const test = await startPrimary(await postgres.database());
  try {
    await test.client.batch([
      { id: "a", title: "A", text: "§ 1. En.", residency: "eu", tier: "cold" },
      { id: "b", title: "B", text: "§ 1. To.", residency: "eu", tier: "cold" },
      { id: "c", title: "C", text: "§ 1. Tre.", residency: "dk-only", tier: "hot" },
    ]);
    const keys = await testKeys();
    const app = createApp({
      primary: () => test.primary,
      verifier: createTokenVerifier({ jwks: keys.jwks, site: SITE, now: Date.now, epoch: () => 1 }),
      metrics: createMetrics(),
      siteUrls: {},
      newId: randomUUID,
      report: (error) => test.errors.push(error),
    });
    const ask = async (issuer: string): Promise<Response> => {
      const signer = createTokenSigner({
        privateJwk: keys.privateJwk,
        issuer,
        now: Date.now,
        epoch: () => 1,
      });
      const headers = { authorization: await signer.authorization(SITE) };
      return await app.request("/internal/census", { headers });
    };
    const { groups, sequence } = censusSchema.parse(await (await ask("ops")).json());
    expect(sequence).toBe("3");
    expect(
      groups.map(({ residency, tier, documents, passages }) => ({ residency, tier, documents, passages })),
    ).toEqual([
      { residency: "dk-only", tier: "hot", documents: 1, passages: 1 },
      { residency: "eu", tier: "cold", documents: 2, passages: 2 },
    ]);
    const [one, two] = groups.map(({ bytes }) => bytes);
    expect(one).toBeGreaterThan(0);
    expect(Math.abs((two ?? 0) - 2 * (one ?? 0))).toBeLessThanOrEqual(2);
    const refused = await ask("edge-eu");
    expect([refused.status, (await refused.json()).code]).toEqual([403, "forbidden"]);
    expect((await app.request("/internal/census")).status).toBe(401);
    expect(test.errors).toEqual([]);
  } finally {
    await test.close();
    await postgres.stop();
  }
});
