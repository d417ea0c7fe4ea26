import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { law } from "./testing/corpus.fixture.ts";
import { KEYS, startEdge, type EdgeHost, type Zone } from "./testing/edge-host.fixture.ts";

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(() => edge.reset());

const HOT = law("hot", "frist for klage over afgørelse", { tier: "hot" });
const WARM = law("warm", "klage over skat", { tier: "warm", residency: "eu" });
const SECRET = law("secret", "frist for klage i Danmark", { tier: "warm", residency: "dk-only" });
const COLD = law("cold", "frist for klage", { metadata: { year: 2_001 } });
const COLD_EU = law("cold-eu", "en frist i unionen", { residency: "eu" });

async function fill(): Promise<void> {
  edge.sites["dk-cph"].laws = [HOT, SECRET];
  edge.sites["eu-fra"].laws = [WARM];
  edge.sites["eu-arn"].laws = [WARM];
  await edge.publish("global", [COLD, law("other", "noget helt andet")]);
  await edge.publish("eu", [COLD_EU]);
}

async function ask(
  body: object,
  options: { zone?: Zone; headers?: Record<string, string> } = {},
): Promise<SearchResponse> {
  const response = await edge.search(
    // As long as the contract allows: what a test shows must not hang on how busy the machine is.
    { query: "frist for klage over afgørelse", timeout_ms: 10_000, ...body },
    options,
  );
  expect(response.status).toBe(200);
  return searchResponseSchema.parse(await response.json());
}

const ids = (answer: SearchResponse): string[] => answer.hits.map(({ document_id }) => document_id);
const reportOf = (
  answer: SearchResponse,
  tier: string,
  site: string,
): SearchResponse["tiers"][number] | undefined =>
  answer.tiers.find((report) => report.tier === tier && report.site === site);

describe("ranking", () => {
  it("answers with one ranking over all four tiers (I6)", async () => {
    await fill();
    const answer = await ask({});
    expect(ids(answer)).toEqual(expect.arrayContaining(["hot", "warm", "secret", "cold", "cold-eu"]));
    expect(ids(answer)[0]).toBe("hot");
    expect(answer).toMatchObject({ partial: false, not_served: [], sequence: "10" });
    expect(answer.tiers.map(({ tier }) => tier)).toEqual(
      answer.tiers.map(({ tier }) => tier).toSorted(byTier),
    );
    expect(answer.hits[0]).toMatchObject({
      tier: "hot",
      site: "dk-cph",
      title: "Lov hot",
      passage_id: "hot#1",
    });
    expect(answer.hits[0]?.highlights.length).toBeGreaterThan(0);
  });

  it("asks the primary once for all of its tiers, the nearest regional alone", async () => {
    await fill();
    await ask({}, { headers: { "x-kattegat-caller-colo": "ARN" } });
    expect(edge.sites["dk-cph"].searches()).toHaveLength(1);
    expect(edge.sites["eu-arn"].searches()).toHaveLength(1);
    expect(edge.sites["eu-fra"].searches()).toHaveLength(0);
    await ask({}, { headers: { "x-kattegat-caller-colo": "FRA" } });
    expect(edge.sites["eu-fra"].searches()).toHaveLength(1);
  });

  it("asks nobody for a tier that was not asked for", async () => {
    await fill();
    const answer = await ask({ tiers: ["cold"] });
    expect(new Set(answer.tiers.map(({ tier }) => tier))).toEqual(new Set(["cold"]));
    expect(edge.sites["eu-fra"].received).toHaveLength(0);
    expect(ids(answer)).not.toContain("hot");
  });

  it("explains ranks, arithmetic, matched terms, plan", async () => {
    await fill();
    const answer = await ask({ explain: true });
    expect(answer.hits[0]?.explain).toMatchObject({
      dense_rank: 1,
      lexical_rank: 1,
      dense_passage_id: answer.hits[0]?.passage_id,
      lexical_passage_id: answer.hits[0]?.passage_id,
      arithmetic: expect.stringContaining("0.3/(2+1) by vector + 1/(2+1) by words"),
    });
    expect(answer.hits[0]?.explain?.matched_terms).toContain("frist");
    expect(reportOf(answer, "warm", "eu-arn")?.reason).toContain("eu-fra would stand in");
    expect((await ask({})).hits[0]?.explain).toBeUndefined();
  });

  it("takes a filter by id, tier or metadata at the cold tier too", async () => {
    await fill();
    const cold = async (filter: object): Promise<string[]> => ids(await ask({ tiers: ["cold"], filter }));
    expect(await cold({ must: [{ has_id: ["cold"] }] })).toEqual(["cold"]);
    expect(await cold({ must: [{ has_id: ["cold#1", "cold#2"] }] })).toEqual(["cold"]);
    expect(await cold({ must_not: [{ has_id: ["cold"] }] })).not.toContain("cold");
    expect(await cold({ must: [{ key: "year", range: { gte: 2_000 } }] })).toEqual(["cold"]);
    expect(await cold({ must: [{ key: "tier", match: { value: "cold" } }] })).toHaveLength(3);
    expect(await cold({ must: [{ key: "tier", match: { value: "hot" } }] })).toEqual([]);
  });

  it("takes the same request by URL", async () => {
    await fill();
    const filter = encodeURIComponent(
      JSON.stringify({ must: [{ key: "residency", match: { value: "global" } }] }),
    );
    const response = await edge.fetch(
      "eu",
      `/v1/search?q=frist&limit=1&tiers=cold&filter=${filter}&explain=true`,
      { headers: { authorization: `Bearer ${KEYS.search}` } },
    );
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(ids(searchResponseSchema.parse(await response.json()))).toEqual(["cold"]);
  });

  it("puts the next hit in the place of one whose text is gone", async () => {
    edge.sites["dk-cph"].laws = [HOT, SECRET];
    edge.sites["dk-cph"].tamper = (answer) => {
      edge.sites["dk-cph"].laws = [SECRET];
      const bare = (list: typeof answer.dense): typeof answer.dense =>
        list.map((candidate) => ({ ...candidate, content: undefined }));
      return { ...answer, dense: bare(answer.dense), lexical: bare(answer.lexical) };
    };
    expect(ids(await ask({ limit: 1, tiers: ["hot", "warm"] }))).toEqual(["secret"]);
  });
});

describe("a site that fails", () => {
  it("answers while a regional hangs, with another standing in, and says so (I7)", async () => {
    await fill();
    edge.sites["eu-arn"].mood = "hangs";
    // Waiting for the first alone would leave no time for the other.
    const answer = await ask({ timeout_ms: 4_000 });
    expect(ids(answer)).toContain("warm");
    expect(answer.partial).toBe(true);
    expect(reportOf(answer, "warm", "eu-arn")).toMatchObject({
      status: "timeout",
      reason: expect.stringContaining("eu-fra stood in"),
    });
    expect(reportOf(answer, "warm", "eu-fra")).toMatchObject({
      status: "ok",
      reason: "stands in for eu-arn",
    });
  });

  it.each(["breaks", "refuses", "talks nonsense"] as const)(
    "answers without a tier whose sites are %s",
    async (mood) => {
      await fill();
      edge.sites["eu-arn"].mood = mood;
      edge.sites["eu-fra"].mood = mood;
      const answer = await ask({});
      expect(answer.partial).toBe(true);
      for (const site of ["eu-arn", "eu-fra"])
        expect(reportOf(answer, "warm", site)?.status).toBe("unavailable");
      expect(ids(answer)).toEqual(expect.arrayContaining(["hot", "cold"]));
    },
  );

  it("asks a dead site no more after a few failures, yet lists it", async () => {
    await fill();
    edge.sites["dk-cph"].mood = "breaks";
    for (let round = 0; round < 6; round += 1) {
      const answer = await ask({ tiers: ["hot", "cold"] });
      expect(reportOf(answer, "hot", "dk-cph")?.status).toBe("unavailable");
      expect(answer.partial).toBe(true);
    }
    expect(edge.sites["dk-cph"].received.length).toBeLessThan(6);
  });

  it("answers even when every site hangs", async () => {
    await fill();
    for (const site of Object.values(edge.sites)) site.mood = "hangs";
    const answer = await ask({ timeout_ms: 2_000 });
    expect(reportOf(answer, "hot", "dk-cph")?.status).toBe("timeout");
    expect(ids(answer)).toContain("cold");
  });

  it("says that a tier is missing when its texts cannot be read", async () => {
    await fill();
    edge.sites["dk-cph"].mood = "lacks texts";
    const answer = await ask({});
    expect(answer.partial).toBe(true);
    expect(reportOf(answer, "hot", "dk-cph")).toMatchObject({
      status: "unavailable",
      reason: "its texts could not be read",
    });
    expect(ids(answer)).toContain("cold");
  });

  it("passes on what a site says of itself: stale is partial", async () => {
    await fill();
    edge.sites["dk-cph"].state = { status: "stale", watermark: "4" };
    const answer = await ask({ min_sequence: "9", tiers: ["hot"] });
    expect(answer.partial).toBe(true);
    expect(reportOf(answer, "hot", "dk-cph")).toMatchObject({ status: "stale", watermark: "4" });
    expect(edge.sites["dk-cph"].searches()[0]?.min_sequence).toBe("9");
  });
});

describe("residency", () => {
  it("never asks a site for a class that the caller may not be served (I4)", async () => {
    await fill();
    const answer = await ask({}, { headers: { "x-kattegat-caller-country": "US" } });
    expect(answer.not_served).toEqual(["dk-only", "eu"]);
    for (const site of Object.values(edge.sites))
      for (const { classes } of site.searches()) expect(classes).toEqual(["global"]);
    expect(new Set(answer.hits.map(({ residency }) => residency))).toEqual(new Set(["global"]));
  });

  it("shows nothing that a site sends unasked (I4)", async () => {
    await fill();
    edge.sites["dk-cph"].tamper = (answer) => ({
      ...answer,
      dense: [
        {
          document_id: "secret",
          ordinal: 1,
          score: 1,
          tier: "warm",
          version: "1",
          residency: "dk-only",
          content: { title: "x", text: "x", lang: null, metadata: {} },
        },
      ],
    });
    expect(ids(await ask({}, { headers: { "x-kattegat-caller-country": "SE" } }))).not.toContain("secret");
    expect(ids(await ask({}))).toContain("secret");
  });

  it("names the host name that would serve what the global zone may not carry", async () => {
    await fill();
    const response = await edge.search({ query: "frist" }, { zone: "global" });
    const answer = searchResponseSchema.parse(await response.json());
    expect(answer.not_served).toEqual(["dk-only", "eu"]);
    expect(response.headers.get("link")).toBe('<http://eu.test/v1/search>; rel="alternate"');
    expect(ids(answer)).not.toContain("cold-eu");
    expect(answer.tiers.some(({ site }) => site === "edge-eu")).toBe(false);
    expect((await edge.search({ query: "frist" })).headers.get("link")).toBeNull();
  });

  it("gives no link to a caller whom no host name would serve more", async () => {
    await fill();
    const response = await edge.search(
      { query: "frist" },
      { zone: "global", headers: { "x-kattegat-caller-country": "US" } },
    );
    expect(response.headers.get("link")).toBeNull();
  });
});

describe("stream", () => {
  it("writes the ranking as it improves, the whole answer last", async () => {
    await fill();
    edge.sites["eu-arn"].mood = "hangs";
    const response = await edge.fetch("eu", "/v1/search:stream", {
      method: "POST",
      headers: { authorization: `Bearer ${KEYS.search}`, "content-type": "application/json" },
      body: JSON.stringify({ query: "frist for klage", timeout_ms: 1_000 }),
    });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(1);
    expect(
      lines
        .slice(0, -1)
        .every((line) => typeof line === "object" && line !== null && "type" in line && line.type === "hits"),
    ).toBe(true);
    expect(lines.at(-1)).toMatchObject({ type: "final", partial: true });
    expect(ids(searchResponseSchema.parse(lines.at(-1)))).toContain("warm");
  });
});

describe("usage", () => {
  it("tells the primary which documents were answered", async () => {
    // A report on an earlier test's documents may still arrive.
    edge.sites["dk-cph"].laws = ["asked-a", "asked-b"].map((id) =>
      law(id, "frist for klage", { tier: "hot" }),
    );
    await edge.publish("eu", [COLD_EU]);
    await ask({ limit: 2 });
    const reported = (): unknown[] =>
      edge.sites["dk-cph"].received
        .filter(({ path }) => path === "/internal/usage")
        .map(({ body }): unknown => JSON.parse(body))
        .filter((report) => JSON.stringify(report).includes("asked-a"));
    await expect.poll(() => reported().length).toBe(1);
    expect(reported()[0]).toMatchObject({
      site: "edge-eu",
      documents: [{ hits: 1 }, { hits: 1 }],
    });
  });
});

function byTier(a: string, b: string): number {
  const order = ["ultra-hot", "hot", "warm", "cold"];
  return order.indexOf(a) - order.indexOf(b);
}
