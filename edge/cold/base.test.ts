import { encodeManifest, parseManifest, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { encodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { law } from "../testing/corpus.fixture.ts";
import { startEdge, type EdgeHost } from "../testing/edge-host.fixture.ts";

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(async () => {
  await edge.reset();
  await edge.publish("eu", []);
});

const SUBJECTS = ["frist for klage", "tilladelse til byggeri", "skat af ejendom", "værn om natur"];
const LAWS = Array.from({ length: 400 }, (_, number) =>
  law(`law-${number}`, `${SUBJECTS[number % 4] ?? ""} i sag ${number} hos nævn ${number % 17}`, {
    metadata: { year: 1_990 + (number % 30) },
  }),
);

async function ask(body: object = {}, headers: Record<string, string> = {}): Promise<SearchResponse> {
  const response = await edge.search({ tiers: ["cold"], timeout_ms: 10_000, ...body }, { headers });
  expect(response.status).toBe(200);
  return searchResponseSchema.parse(await response.json());
}
const ids = (answer: SearchResponse): string[] => answer.hits.map(({ document_id }) => document_id);
const reportOf = (answer: SearchResponse): SearchResponse["tiers"][number] | undefined =>
  answer.tiers.find(({ site }) => site === "edge-global");

describe("a base at the edge", () => {
  async function switchToBase(): Promise<void> {
    await edge.publishBase("global", LAWS.slice(0, 300), { tail: LAWS.slice(300) });
    await expect
      .poll(async () => reportOf(await ask({ query: "natur", explain: true }))?.reason ?? "", {
        timeout: 5_000,
      })
      .toContain("exact");
  }
  const QUERIES = ["frist for klage nævn 3", "skat af ejendom i sag 122", "byggeri"];

  it.each(["dense", "lexical"])("ranks as the same documents in segments, in mode %s (I6)", async (mode) => {
    const answers = async (): Promise<unknown[]> => {
      const found = [];
      for (const query of QUERIES) {
        const { hits, partial } = await ask({ query, mode, limit: 20 });
        expect(partial).toBe(false);
        found.push(
          hits.map(({ document_id, score, title, snippet }) => [
            document_id,
            score.toFixed(4),
            title,
            snippet,
          ]),
        );
      }
      return found;
    };
    await edge.publish("global", LAWS);
    const flat = await answers();
    await switchToBase();
    expect(await answers()).toEqual(flat);
  });

  it("shows nearly the same first page of both lists fused: ranks far down are those of what was read", async () => {
    const answers = async (): Promise<string[]> => {
      const found = [];
      for (const query of QUERIES) found.push(...ids(await ask({ query })).map((id) => `${query} ${id}`));
      return found;
    };
    await edge.publish("global", LAWS);
    const flat = await answers();
    await switchToBase();
    const found = new Set(await answers());
    expect(flat.filter((id) => found.has(id)).length / flat.length).toBeGreaterThanOrEqual(0.9);
  });

  it("filters exactly, by fields and by ids", async () => {
    await edge.publishBase("global", LAWS);
    const { hits } = await ask({
      query: "frist for klage",
      limit: 100,
      filter: {
        must: [{ key: "metadata.year", range: { gte: 2_000, lt: 2_003 } }],
        must_not: [{ has_id: ["law-10"] }],
      },
    });
    const expected = LAWS.filter(
      ({ id, metadata }) =>
        Number(metadata["year"]) >= 2_000 && Number(metadata["year"]) < 2_003 && id !== "law-10",
    );
    expect(hits.map(({ document_id }) => document_id).toSorted()).toEqual(
      expected.map(({ id }) => id).toSorted(),
    );
  });

  it("hides what the manifest says is dead, in cached results too", async () => {
    const manifest = await edge.publishBase("global", LAWS);
    const [first = ""] = ids(await ask({ query: "frist for klage i sag 8" }));
    expect(reportOf(await ask({ query: "frist for klage i sag 8" }))?.cache).toBe("hit");
    expect(first).toBe("law-8");
    const { base } = manifest;
    if (base === null) throw new Error("there is a base");
    const numbers = Array.from({ length: base.documents }, (_, number) => number);
    await edge.putManifest(
      "global",
      JSON.stringify({
        ...manifest,
        generation: 2,
        base: { ...base, tombstones: encodeNumbers(numbers), dead: numbers.length },
      }),
    );
    await expect
      .poll(async () => ids(await ask({ query: "frist for klage i sag 8" })), { timeout: 5_000 })
      .toEqual([]);
  });

  it("lets one of two publishers win, the tail's or the base's, and tells the other (I12)", async () => {
    const manifest = await edge.publishBase("global", LAWS.slice(0, 300), { tail: LAWS.slice(300) });
    const headers = { ...(await edge.siteHeaders("global")), "content-type": "application/json" };
    const path = "/internal/cold/manifest";
    let current: ColdManifest = manifest;
    const winners = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const etag = (await edge.fetch("global", path, { headers })).headers.get("etag") ?? "";
      const generation = current.generation + 1;
      const watermark = { epoch: 1, sequence: String(11 + round) };
      const tail = { ...current, generation, watermark };
      // The base of before hides one more: what a publisher of bases writes last.
      const base = current.base && { ...current.base, tombstones: encodeNumbers([round]), dead: 1 };
      const contenders = [tail, { ...current, generation, base }];
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      const answers = await Promise.all(
        order.map((body) =>
          edge.fetch("global", path, {
            method: "PUT",
            headers: { ...headers, "if-match": etag },
            body: encodeManifest(body),
          }),
        ),
      );
      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
      const stored = parseManifest(await (await edge.fetch("global", path, { headers })).text());
      const winner = order[answers.findIndex(({ status }) => status === 204)];
      expect(stored).toEqual(winner);
      winners.add(winner === tail ? "tail" : "base");
      current = stored;
    }
    expect(winners.size).toBe(2);
  });

  it("names the piece that it could not read, shows the rest, keeps no such result", async () => {
    const manifest = await edge.publishBase("global", LAWS);
    const key = `${manifest.base?.key ?? ""}.postings.0`;
    await edge.putObject("global", key, new Uint8Array(1_000));
    const answer = await ask({ query: "frist for klage i sag 8" });
    expect(answer.partial).toBe(true);
    expect(answer.hits.length).toBeGreaterThan(0);
    expect(reportOf(answer)).toMatchObject({ status: "unavailable", cache: "miss" });
    expect(reportOf(await ask({ query: "frist for klage i sag 8" }))?.cache).toBe("miss");
  });
});
