import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { SearchResponse } from "@kattegat/protocol/search.ts";
import { afterEach, describe, expect, it } from "vitest";
import { untilAnswering, untilReady } from "./readiness.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Answers `/readyz` with one status after the other, the last one for ever. */
function site(...statuses: readonly number[]): Promise<string> {
  const left = [...statuses];
  return answering(() => {
    const status = (left.length > 1 ? left.shift() : left[0]) ?? 200;
    return status === 200 ? "" : `status ${status}`;
  });
}

/** Answers `/readyz` with these reasons; an empty one says yes. */
async function answering(nextReason: () => string): Promise<string> {
  const server = createServer((_, response) => {
    const reason = nextReason();
    response.writeHead(reason === "" ? 200 : 503).end(JSON.stringify({ reason }));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const { signal } = new AbortController();
const LONG = { signal, timeoutMs: 60_000 };
const NONE = { signal, timeoutMs: 0 };
const tell = (): void => undefined;

const answer = (partial: boolean): SearchResponse => ({
  hits: [],
  partial,
  tiers: [
    {
      tier: "warm",
      site: "eu-fra",
      status: partial ? "timeout" : "ok",
      took_ms: 1,
      cache: "none",
      watermark: "1",
      lag_ms: 0,
    },
  ],
  not_served: [],
  sequence: "1",
  took_ms: 1,
});

describe("the wait until every process is ready", () => {
  it("ends when the last of them says yes", async () => {
    const processes = [
      { name: "dk-cph", readiness: [await site(503, 503, 200)] },
      { name: "edge", readiness: [await site(200), await site(503, 200)] },
      { name: "postgres", readiness: [] },
    ];
    await untilReady(processes, { ...LONG, tell });
  });

  it("fails after its time with the name and the reason of each that is not", async () => {
    const processes = [
      { name: "dk-cph", readiness: [await site(503)] },
      { name: "edge", readiness: [await site(200)] },
      { name: "replication", readiness: ["http://127.0.0.1:1"] },
    ];
    const waiting = untilReady(processes, { ...NONE, tell });
    await expect(waiting).rejects.toThrow(/dk-cph \(http[^)]*\): status 503[\s\S]*replication/);
    await expect(waiting).rejects.not.toThrow(/edge/);
  });
});

describe("a process that is long in getting ready", () => {
  it("is waited for while its reason shows that it gets on, not while only time passes", async () => {
    const replies = (reasons: readonly string[]): Promise<string> => {
      const left = [...reasons];
      return answering(() => (left.length > 1 ? left.shift() : left[0]) ?? "");
    };
    const changes = Array.from({ length: 8 }, (_, at) => `${8 - at} changes and ${at} ms behind`);
    const times = Array.from({ length: 50 }, (_, at) => `7 changes and ${at} ms behind`);
    const wait = { signal, timeoutMs: 300, tell };
    await untilReady([{ name: "replication", readiness: [await replies([...changes, ""])] }], wait);
    await expect(
      untilReady([{ name: "replication", readiness: [await replies(times)] }], wait),
    ).rejects.toThrow(/nothing moved/);
  });
});

describe("the wait until a search is answered in full", () => {
  it("does not take a partial answer for one (I7)", async () => {
    const answers = [true, true, false];
    const asked: unknown[] = [];
    const client = {
      url: "http://edge",
      search: (request: unknown) => {
        asked.push(request);
        return Promise.resolve(answer(answers.shift() ?? false));
      },
    };
    await untilAnswering([client], LONG);
    expect(asked).toHaveLength(3);
  });

  it("takes the answer of a network in which nothing was ever written, though it has no cold generation", async () => {
    const cold = answer(true).tiers.map((report) => ({ ...report, tier: "cold" as const, site: "edge-eu" }));
    const empty = { ...answer(true), tiers: cold, sequence: "0" };
    await untilAnswering([{ url: "http://edge", search: () => Promise.resolve(empty) }], NONE);
    const written = { ...empty, sequence: "7" };
    await expect(
      untilAnswering([{ url: "http://edge", search: () => Promise.resolve(written) }], NONE),
    ).rejects.toThrow("cold at edge-eu");
  });

  it("fails after its time with the reason why no site could rank by all that was asked for", async () => {
    const reason = "ranked by words alone: the embedding has not come to this edge";
    const tiers = answer(true).tiers.map((report) => ({ ...report, status: "ok" as const, reason }));
    const client = { url: "http://edge", search: () => Promise.resolve({ ...answer(true), tiers }) };
    await expect(untilAnswering([client], NONE)).rejects.toThrow(`after 0 s: ${reason}`);
  });

  it("fails after its time with the site that is missing", async () => {
    const client = { url: "http://edge", search: () => Promise.resolve(answer(true)) };
    await expect(untilAnswering([client], NONE)).rejects.toThrow(
      "A search at http://edge is not answered in full after 0 s: warm at eu-fra: timeout",
    );
  });
});
