import { setTimeout as sleep } from "node:timers/promises";
import { batchResultSchema } from "@kattegat/protocol/documents.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { problemSchema } from "@kattegat/protocol/problem.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { runningProcess } from "../local/running-process.ts";
import { PROCESSES } from "./processes.fixture.ts";

const START_MS_MAX = 150_000;
/** A killed process is restarted within seconds; its copies then catch up. */
const RECOVERY_MS_MAX = 60_000;
const KILL_MS_MAX = 120_000;
const LINES = 8;
const WRITERS = 3;
/** Two batches are in before the kill, others on their way. */
const ACKNOWLEDGED_MIN = 2 * LINES;
/** The writers go on for so long after it. */
const AFTER_MS = 1_500;
/** How long a refused writer waits; a busy loop would take the core from what restarts. */
const RETRY_MS = 50;
/** As many words of documents fit one query of 2,000 characters. */
const WORDS_MAX = 50;
/** Of an answer beyond its `timeout_ms`: both cores may be busy with the rest of the network. */
const SLACK_MS = 5_000;

let network: TestNetwork;

beforeAll(async () => {
  network = await startTestNetwork({ samples: "none" });
}, START_MS_MAX);

afterAll(async () => {
  await network?.stop();
}, START_MS_MAX);

function pidOf(name: string): number {
  const { pid } = runningProcess(network.data, name);
  if (pid === null) throw new Error(`no process ${name} is running`);
  return pid;
}

const TIERS = ["hot", "warm", "cold"] as const;
type Tier = (typeof TIERS)[number];

interface Written {
  readonly acknowledged: Map<string, Tier>;
  /** Status and code of every answer that was no success. */
  readonly refusals: string[];
}

/** Writes small batches until told to stop, as several clients do; remembers what was acknowledged. */
async function write(prefix: string, written: Written, isOver: () => boolean): Promise<void> {
  for (let batch = 0; !isOver(); batch += 1) {
    const ids = Array.from({ length: LINES }, (_, line) => `${prefix}-${batch}-${line}`);
    try {
      await writeBatch(ids, written);
    } catch (error) {
      // The connection went down with the process: what it did not acknowledge was not promised.
      if (!(error instanceof TypeError && CONNECTION_CLOSED.has(error.message))) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** What Node's fetch says of a connection that never opened, or that closed before the answer's end. */
const CONNECTION_CLOSED: ReadonlySet<string> = new Set(["fetch failed", "terminated"]);

/** Counts each acknowledgement as it arrives: those before a broken connection are promises too. */
async function writeBatch(ids: readonly string[], written: Written): Promise<void> {
  const answer = await fetch(`${network.url}/v1/documents:batch`, {
    method: "POST",
    body: ids.map((id, line) => `${lineOf(id, tierOf(line))}\n`).join(""),
    headers: { authorization: `Bearer ${network.key}`, "content-type": "application/x-ndjson" },
  });
  if (!answer.ok || answer.body === null) {
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    const { status, code } = problemSchema.parse(await answer.json());
    written.refusals.push(`${status} ${code}`);
    await sleep(RETRY_MS);
    return;
  }
  let rest = "";
  let results = 0;
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const result = batchResultSchema.parse(JSON.parse(line));
      expect(result.line).toBe(results + 1);
      // Of a line that the primary did not live to answer the edge knows the number alone.
      if (result.id !== null) expect(result.id).toBe(ids[results]);
      if (result.error === undefined) written.acknowledged.set(ids[results] ?? "", tierOf(results));
      else written.refusals.push(`${result.status} ${result.error.code}`);
      results += 1;
    }
  }
  // An answer that ends as if it were whole, with lines untold, would lose them silently.
  if (results < ids.length)
    written.refusals.push(`${answer.status} with ${results} of ${ids.length} results`);
}

function tierOf(line: number): Tier {
  return TIERS[line % TIERS.length] ?? "hot";
}

function lineOf(id: string, tier: Tier): string {
  const text = `Bestemmelse ${wordOf(id)}.`;
  return JSON.stringify({ id, title: id, text, lang: "da", residency: "global", tier });
}

function wordOf(id: string): string {
  return `ord${id.replaceAll("-", "x")}`;
}

async function caughtUp(): Promise<void> {
  const until = performance.now() + RECOVERY_MS_MAX;
  let last = "the network did not answer";
  while (performance.now() < until) {
    try {
      const answer = await fetch(`${network.url}/v1/network`, {
        headers: { authorization: `Bearer ${network.key}` },
        signal: AbortSignal.timeout(5_000),
      });
      const { sites } = networkStatusSchema.parse(await answer.json());
      const behind = sites.filter(
        ({ health, watermark, lag_changes }) =>
          health !== "not_running" && (watermark === null || lag_changes !== 0),
      );
      last = behind.map(({ id, health, lag_changes }) => `${id} ${health} ${lag_changes}`).join(", ");
      if (behind.length === 0) return;
    } catch (error) {
      last = String(error);
    }
    await sleep(200);
  }
  throw new Error(`not caught up in ${RECOVERY_MS_MAX} ms: ${last}`);
}

async function search(body: Readonly<Record<string, unknown>>): Promise<SearchResponse> {
  const answer = await network.post("/v1/search", JSON.stringify(body));
  expect(answer.status).toBe(200);
  return searchResponseSchema.parse(await answer.json());
}

/** The status of reading a document; a key that asks too often waits as it is told. */
async function statusOf(id: string): Promise<number> {
  for (;;) {
    const answer = await fetch(`${network.url}/v1/documents/${id}`, {
      headers: { authorization: `Bearer ${network.key}` },
    });
    await answer.arrayBuffer();
    if (answer.status !== 429) return answer.status;
    await sleep(1_000 * Number(answer.headers.get("retry-after") ?? 1));
  }
}

/** Resolves with the documents that a search for their own words does not find in their tier; a breaker that is still open costs a moment. */
async function missingIn(tier: Tier, ids: readonly string[]): Promise<readonly string[]> {
  const until = performance.now() + RECOVERY_MS_MAX;
  for (;;) {
    const query = ids.map(wordOf).join(" ");
    const { hits } = await search({ query, mode: "lexical", tiers: [tier], limit: 100, timeout_ms: 10_000 });
    const found = new Set(hits.filter((hit) => hit.tier === tier).map(({ document_id }) => document_id));
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0 || performance.now() > until) return missing;
    await sleep(200);
  }
}

async function expectAllThere({ acknowledged }: Written): Promise<void> {
  for (const id of acknowledged.keys()) expect(await statusOf(id), id).toBe(200);
  for (const tier of TIERS) {
    const ids = [...acknowledged].filter(([, its]) => its === tier).map(([id]) => id);
    expect(ids.length).toBeGreaterThan(0);
    for (let from = 0; from < ids.length; from += WORDS_MAX)
      expect(await missingIn(tier, ids.slice(from, from + WORDS_MAX)), tier).toEqual([]);
  }
}

describe("a network under writes", () => {
  it.each(PROCESSES)(
    "keeps every acknowledged document when %s is killed (I11)",
    { timeout: KILL_MS_MAX },
    async (name) => {
      const written: Written = { acknowledged: new Map(), refusals: [] };
      let isOver = false;
      const writing = Promise.all(
        Array.from({ length: WRITERS }, (_, writer) =>
          write(`kill-${name}-${writer}`, written, () => isOver),
        ),
      );
      // A writer that fails early is heard of below.
      writing.catch(() => {});
      const killed = pidOf(name);
      try {
        await expect
          .poll(() => written.acknowledged.size, { interval: 10, timeout: RECOVERY_MS_MAX })
          .toBeGreaterThanOrEqual(ACKNOWLEDGED_MIN);
        process.kill(killed, "SIGKILL");
        await sleep(AFTER_MS);
      } finally {
        isOver = true;
      }
      await writing;
      for (const refusal of written.refusals)
        expect(refusal).toMatch(/^(503 (unavailable|not_ready)|504 timeout|409 conflict)$/);
      await expect.poll(() => pidOf(name), { timeout: RECOVERY_MS_MAX }).not.toBe(killed);
      await caughtUp();
      await expectAllThere(written);
    },
  );
});

describe("a search without a regional", () => {
  const query = { query: "bestemmelse", timeout_ms: 1_500 };

  async function withStopped<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const pids = names.map(pidOf);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      return await work();
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
  }

  it("is answered by the other one, and says so (I7)", { timeout: KILL_MS_MAX }, async () => {
    const { tiers, partial } = await withStopped(["eu-arn"], () => search(query));
    const warm = tiers.filter(({ site }) => site.startsWith("eu-"));
    expect(partial).toBe(true);
    expect(warm).toEqual([
      expect.objectContaining({ site: "eu-arn", status: "timeout" }),
      expect.objectContaining({ site: "eu-fra", status: "ok" }),
    ]);
  });

  it(
    "is answered in time without the warm tier when none is left, and says so (I7)",
    { timeout: KILL_MS_MAX },
    async () => {
      const startedAt = performance.now();
      const { tiers, partial, hits } = await withStopped(["eu-arn", "eu-fra"], () => search(query));
      expect(performance.now() - startedAt).toBeLessThan(query.timeout_ms + SLACK_MS);
      expect(partial).toBe(true);
      expect(hits.length).toBeGreaterThan(0);
      expect(tiers.map(({ tier }) => tier)).toEqual(expect.arrayContaining([...TIERS]));
      // The primary answers for the warm documents that no regional may hold.
      for (const { tier, site, status } of tiers) {
        if (site.startsWith("eu-")) expect(["timeout", "unavailable"], site).toContain(status);
        else expect(status, `${tier} at ${site}`).toBe("ok");
      }
      expect(tiers.map(({ site }) => site)).toEqual(expect.arrayContaining(["eu-arn", "eu-fra"]));
    },
  );
});
