import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { batchResultSchema } from "@kattegat/protocol/documents.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { problemSchema } from "@kattegat/protocol/problem.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";

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

let network: TestNetwork;

beforeAll(async () => {
  network = await startTestNetwork({ samples: "none" });
}, START_MS_MAX);

afterAll(async () => {
  await network?.stop();
}, START_MS_MAX);

const runningSchema = z.object({
  processes: z.array(z.object({ name: z.string(), pid: z.int().nullable() })),
});

function pidOf(name: string): number {
  const running = runningSchema.parse(JSON.parse(readFileSync(join(network.data, "network.json"), "utf8")));
  const pid = running.processes.find((process) => process.name === name)?.pid ?? null;
  if (pid === null) throw new Error(`no process ${name} is running`);
  return pid;
}

const TIERS = ["hot", "warm", "cold"] as const;

interface Written {
  readonly acknowledged: Map<string, (typeof TIERS)[number]>;
  /** Status and code of every answer that was no success. */
  readonly refusals: string[];
}

/** Writes small batches until told to stop, as several clients do; remembers what was acknowledged. */
async function write(prefix: string, written: Written, isOver: () => boolean): Promise<void> {
  for (let batch = 0; !isOver(); batch += 1) {
    const ids = Array.from({ length: LINES }, (_, line) => `${prefix}-${batch}-${line}`);
    const lines = ids.map((id, line) =>
      JSON.stringify({
        id,
        title: id,
        text: `Bestemmelse ${wordOf(id)}.`,
        lang: "da",
        residency: "global",
        tier: TIERS[line % TIERS.length],
      }),
    );
    try {
      const answer = await fetch(`${network.url}/v1/documents:batch`, {
        method: "POST",
        body: `${lines.join("\n")}\n`,
        headers: { authorization: `Bearer ${network.key}`, "content-type": "application/x-ndjson" },
      });
      if (!answer.ok) {
        const { status, code } = problemSchema.parse(await answer.json());
        written.refusals.push(`${status} ${code}`);
        await sleep(50);
        continue;
      }
      for (const line of (await answer.text()).split("\n").filter((text) => text.endsWith("}"))) {
        const { id, status, error } = batchResultSchema.parse(JSON.parse(line));
        if (status < 300 && id !== null)
          written.acknowledged.set(id, TIERS[Number(id.split("-").at(-1)) % TIERS.length] ?? "hot");
        else written.refusals.push(`${status} ${error?.code ?? "?"}`);
      }
    } catch (error) {
      // The connection went down with the process: the client knows that nothing was promised.
      if (!(error instanceof TypeError) && !(error instanceof SyntaxError)) throw error;
      await sleep(50);
    }
  }
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

/** Resolves once the document is found in its tier; a breaker that is still open costs a moment. */
async function isFound(id: string, tier: string): Promise<boolean> {
  const until = performance.now() + RECOVERY_MS_MAX;
  while (performance.now() < until) {
    const { hits } = await search({ query: wordOf(id), mode: "lexical", limit: 1, timeout_ms: 10_000 });
    if (hits[0]?.document_id === id && hits[0].tier === tier) return true;
    await sleep(200);
  }
  return false;
}

describe("a network under writes", () => {
  it.each([
    "dk-cph",
    "postgres",
    "edge",
    "replication",
    "eu-fra",
    "eu-arn",
    "qdrant-eu-fra",
    "qdrant-eu-arn",
  ])("keeps every acknowledged document when %s is killed (I11)", { timeout: KILL_MS_MAX }, async (name) => {
    const written: Written = { acknowledged: new Map(), refusals: [] };
    let isOver = false;
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      write(`kill-${name}-${writer}`.replaceAll("_", "-"), written, () => isOver),
    );
    while (written.acknowledged.size < ACKNOWLEDGED_MIN) await sleep(10);
    process.kill(pidOf(name), "SIGKILL");
    await sleep(AFTER_MS);
    isOver = true;
    await Promise.all(writers);
    for (const refusal of written.refusals)
      expect(refusal).toMatch(/^(503 (unavailable|not_ready)|504 timeout|409 conflict) ?$/);
    await caughtUp();
    const ids = [...written.acknowledged];
    for (const [id] of ids) expect(await statusOf(id), id).toBe(200);
    const sample = ids.filter((_, index) => index % Math.ceil(ids.length / 12) === 0);
    for (const [id, tier] of sample) expect(await isFound(id, tier), `${id} in ${tier}`).toBe(true);
  });
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
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      expect(partial).toBe(true);
      expect(hits.length).toBeGreaterThan(0);
      for (const { site, status } of tiers) {
        if (site.startsWith("eu-")) expect(["timeout", "unavailable"]).toContain(status);
        else expect(status).toBe("ok");
      }
    },
  );
});
