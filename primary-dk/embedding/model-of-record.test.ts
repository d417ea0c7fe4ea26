import type { Network } from "@kattegat/config/network.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const smaller: Network = {
  ...network,
  embedding: { provider: "hashed", model: "hashed-256-v1", dimensions: 256 },
};
const LAW = { title: "Lov", text: "Frist for klage", residency: "dk-only" };

it("refuses another model than the one that embedded the data, naming both and what to do (I18)", async () => {
  const url = await postgres.database();
  const first = await startPrimary(url);
  expect((await first.client.put("a", LAW)).status).toBe(201);
  await first.close();
  await expect(startPrimary(url, { network: smaller })).rejects.toThrow(
    "The data was embedded by hashed-384-v1, the network file names hashed-256-v1. Name the first again with the other one as its next",
  );
  const again = await startPrimary(url);
  expect((await again.client.search("frist for klage")).dense[0]?.document_id).toBe("a");
  await again.close();
});

it("refuses it even when every document was deleted, since targets keep what they were given (I18)", async () => {
  const url = await postgres.database();
  const first = await startPrimary(url);
  await first.client.put("a", LAW);
  expect((await first.client.send("/internal/documents/a", { method: "DELETE" })).status).toBe(202);
  await first.close();
  await expect(startPrimary(url, { network: smaller })).rejects.toThrow("was embedded by hashed-384-v1");
});

it("takes another model while nothing was ever written", async () => {
  const url = await postgres.database();
  await (await startPrimary(url)).close();
  const other = await startPrimary(url, { network: smaller });
  expect((await other.client.put("a", LAW)).status).toBe(201);
  await other.close();
  await expect(startPrimary(url)).rejects.toThrow("was embedded by hashed-256-v1");
});
