import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startEdge, KEYS, type EdgeHost } from "../testing/edge-host.fixture.ts";

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(() => edge.reset());

const READY = { status: 200, body: { status: "ok" } } as const;

async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  return response.json();
}

describe("the readiness of an edge", () => {
  it("is a yes when the primary says that it is ready", async () => {
    edge.sites["dk-cph"].other = () => READY;
    expect((await edge.fetch("eu", "/readyz")).status).toBe(200);
    expect(edge.sites["dk-cph"].received.map(({ path }) => path)).toEqual(["/readyz"]);
  });

  it("is a no with the primary's reason while the primary is not ready (I7)", async () => {
    edge.sites["dk-cph"].other = () => ({
      status: 503,
      body: { status: "not ready", reason: "the index is being rebuilt from Postgres" },
    });
    const response = await edge.fetch("eu", "/readyz");
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({
      code: "not_ready",
      detail: expect.stringMatching(/dk-cph is not ready: the index is being rebuilt from Postgres/),
    });
  });

  it("is a no on the first question when the primary is silent, without waiting longer than its bound", async () => {
    edge.sites["dk-cph"].mood = "hangs";
    const response = await edge.fetch("eu", "/readyz");
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({
      detail: expect.stringMatching(/dk-cph did not answer/),
    });
  });

  it("is a no when the primary's connections break", async () => {
    edge.sites["dk-cph"].mood = "breaks";
    expect((await edge.fetch("global", "/readyz")).status).toBe(503);
  });
});

describe("the state of the network at an edge", () => {
  const site = (id: string, kind: string) => ({
    id,
    kind,
    country: "DE",
    city: null,
    tiers: [],
    health: "ok",
    epoch: 1,
    watermark: "10",
    lag_ms: 0,
    lag_changes: 0,
    parked: 0,
    url: null,
  });
  const STATUS = {
    sequence: "10",
    epoch: 1,
    sites: [site("dk-cph", "primary"), site("eu-fra", "regional"), site("eu-arn", "regional")],
    tiers: [],
    classes: [],
    model: { id: "hashed-384-v1", dimensions: 384 },
    policy: null,
    statistics_version: null,
  };
  const healths = async (): Promise<Record<string, string>> => {
    const response = await edge.fetch("eu", "/v1/network", {
      headers: { authorization: `Bearer ${KEYS.search}` },
    });
    const { sites }: typeof STATUS = await response.json();
    return Object.fromEntries(sites.map(({ id, health }) => [id, health]));
  };

  it("calls a site unavailable that does not answer this edge, whatever the primary last heard", async () => {
    edge.sites["dk-cph"].other = ({ path }) =>
      path === "/internal/network" ? { status: 200, body: STATUS } : READY;
    expect(await healths()).toEqual({ "dk-cph": "ok", "eu-fra": "ok", "eu-arn": "ok" });
    for (const id of ["eu-fra", "eu-arn"] as const) edge.sites[id].mood = "breaks";
    for (let search = 0; search < 4; search += 1) await edge.search({ query: "frist", tiers: ["warm"] });
    expect(await healths()).toMatchObject({ "dk-cph": "ok", "eu-fra": "unavailable" });
  });

  it("gives an edge no country rather than an empty one", async () => {
    edge.sites["dk-cph"].mood = "breaks";
    const response = await edge.fetch("eu", "/v1/network", {
      headers: { authorization: `Bearer ${KEYS.search}` },
    });
    const { sites }: { sites: { id: string; country: string | null }[] } = await response.json();
    expect(sites.find(({ id }) => id === "edge-eu")?.country).toBeNull();
  });
});
