import { createServer, type Server } from "node:http";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { NodePool } from "./node-pool.ts";
import { Removal } from "./removal.ts";
import { BUSY_MS_MAX, VACUUM_AT_LEISURE, VACUUM_NOW } from "./vacuum.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const MINUTE = 60_000;
const patchSchema = z.object({ optimizers_config: z.object({ deleted_threshold: z.number() }).loose() });

/** A node that says what it is told to, and keeps the thresholds that it is given. */
async function node() {
  const state = { status: "green", deleted: 0, thresholds: { ...VACUUM_AT_LEISURE } };
  const patched: number[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      if (request.method === "PATCH") {
        const { optimizers_config: config } = patchSchema.parse(JSON.parse(body));
        patched.push(config.deleted_threshold);
        state.thresholds = { ...state.thresholds, ...config };
      }
      const segments = [{ info: { uuid: "a", num_deleted_vectors: state.deleted } }];
      const result = {
        status: state.status,
        config: { optimizer_config: state.thresholds },
        collections: {
          collections: [{ id: "passages", shards: [{ id: 0, local: { segments }, remote: [] }] }],
        },
      };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ result, status: "ok", time: 0 }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const clock = { ms: 0 };
  const reported: string[] = [];
  const report = (message: string): void => void reported.push(message);
  const now = (): number => clock.ms;
  const removal = () =>
    new Removal({
      schema: { ensure: () => Promise.resolve({ passages: "passages", meta: "meta" }) },
      pool: new NodePool({ urls: [url], apiKey: null, now, random: Math.random, report }),
      watermark: {
        read: () => Promise.resolve({ watermark: FENCE_ZERO, watermark_at: null, head_sequence: "0" }),
      },
      limits: { dead_seconds_max: 60 },
      now,
      report,
    });
  return { state, patched, clock, reported, removal };
}

/** A site that has told its Qdrant to vacuum, which has begun to. */
async function hurried() {
  const one = await node();
  const removal = one.removal();
  one.state.deleted = 3;
  await removal.round();
  one.clock.ms += MINUTE;
  await removal.round();
  expect(one.patched).toEqual([VACUUM_NOW.deleted_threshold]);
  one.state.status = "yellow";
  return { ...one, first: removal };
}

describe("the haste of Qdrant's vacuum (I24)", () => {
  it("ends after ten minutes, but while a segment is being rewritten only when that has ended", async () => {
    const { state, patched, clock, first, reported } = await hurried();
    for (let minutes = 0; minutes < 90; minutes += 1) {
      clock.ms += MINUTE;
      await first.round();
    }
    expect(patched).toHaveLength(1);
    state.status = "green";
    state.deleted = 0;
    await first.round();
    expect(patched).toEqual([VACUUM_NOW.deleted_threshold, VACUUM_AT_LEISURE.deleted_threshold]);
    expect(reported).toEqual([]);
  });

  it("is ended when a day has gone by without that, which is told", async () => {
    const { patched, clock, first, reported } = await hurried();
    const startMs = clock.ms;
    for (; patched.length < 2 && clock.ms < startMs + 2 * BUSY_MS_MAX; clock.ms += 5 * MINUTE)
      await first.round();
    expect(patched).toEqual([VACUUM_NOW.deleted_threshold, VACUUM_AT_LEISURE.deleted_threshold]);
    // The haste is wanted for ten minutes of every hour; the clock has gone one step on since the round that ended it.
    const endedMs = clock.ms - 5 * MINUTE - startMs;
    expect(endedMs).toBeGreaterThanOrEqual(BUSY_MS_MAX);
    expect(endedMs).toBeLessThanOrEqual(BUSY_MS_MAX + 10 * MINUTE);
    expect(reported).toHaveLength(1);
    for (const endMs = clock.ms + 60 * MINUTE; clock.ms < endMs; clock.ms += MINUTE) await first.round();
    expect(patched).toHaveLength(2);
  });

  it("is found and ended by a process that starts while a segment is being rewritten, when that has ended", async () => {
    const { state, patched, removal } = await hurried();
    const later = removal();
    await later.round();
    expect(patched).toHaveLength(1);
    Object.assign(state, { status: "green", deleted: 0 });
    await later.round();
    expect(patched.at(-1)).toBe(VACUUM_AT_LEISURE.deleted_threshold);
  });
});
