import { censusSchema } from "@kattegat/protocol/census.ts";
import { expect, it } from "vitest";
import { startPostgres } from "../postgres.fixture.ts";
import { startPrimary } from "../primary.fixture.ts";

it("counts documents, passages and bytes by class and tier, for the operator alone", async () => {
  const postgres = await startPostgres();
  const test = await startPrimary(await postgres.database());
  try {
    await test.client.batch([
      { id: "a", title: "A", text: "§ 1. En.", residency: "eu", tier: "cold" },
      { id: "b", title: "B", text: "§ 1. To.", residency: "eu", tier: "cold" },
      { id: "c", title: "C", text: "§ 1. Tre.", residency: "dk-only", tier: "hot" },
    ]);
    const { groups, sequence } = censusSchema.parse(
      await (await test.client.operate("/internal/census")).json(),
    );
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
    const refused = await test.client.send("/internal/census");
    expect([refused.status, (await refused.json()).code]).toEqual([403, "forbidden"]);
    expect(test.errors).toEqual([]);
  } finally {
    await test.close();
    await postgres.stop();
  }
});
