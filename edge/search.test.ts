import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { searchResponseSchema } from "@kattegat/protocol/search.ts";
import { law } from "./testing/corpus.fixture.ts";
import { startEdge, type EdgeHost } from "./testing/edge-host.fixture.ts";

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(() => edge.reset());

describe("search", () => {
  it("answers with one ranking over all four tiers", async () => {
    edge.sites["dk-cph"].laws = [law("a", "frist for klage over afgørelse", { tier: "hot" })];
    edge.sites["eu-fra"].laws = [law("b", "klage over skat", { tier: "warm", residency: "eu" })];
    edge.sites["eu-arn"].laws = edge.sites["eu-fra"].laws;
    await edge.publish("global", [law("c", "frist for klage"), law("d", "noget helt andet")]);
    await edge.publish("eu", [law("e", "en frist", { residency: "eu" })]);
    const response = await edge.search({ query: "frist for klage over afgørelse" });
    expect(response.status).toBe(200);
    const answer = searchResponseSchema.parse(await response.json());
    expect(answer.hits.map(({ document_id }) => document_id).slice(0, 2)).toEqual(["a", "c"]);
    expect(answer.partial).toBe(false);
  });
});
