/** The sites of a network as the primary tells of them. */
import { networkStatusSchema, type NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { send } from "./client.ts";
import { Levelling, STILL_MS_MAX, type LevellingOptions, type ReachedSite } from "./levelling.ts";
import type { BenchNetwork } from "./network.ts";

const POLL_MS = 50;
/** Of what is told to whoever waits. */
const TOLD_EVERY_MS = 10_000;

/**
 * Resolves when every site, or every one that is searched, is where the log ends, with when each got there; rejects when nothing moves
 * any more.
 */
export async function level(
  network: BenchNetwork,
  options: LevellingOptions = {},
): Promise<readonly ReachedSite[]> {
  const levelling = new Levelling(options);
  let toldAtMs = performance.now();
  for (;;) {
    const status = await statusOf(network);
    const nowMs = performance.now();
    const state = levelling.take(status, nowMs);
    if (state === "level") return levelling.reached;
    if (state === "still")
      throw new Error(`nothing has moved for ${STILL_MS_MAX / 1_000} s: ${levelling.describe()}`);
    if (nowMs - toldAtMs >= TOLD_EVERY_MS) {
      toldAtMs = nowMs;
      console.log(`  waiting for ${levelling.describe()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function statusOf(network: BenchNetwork): Promise<NetworkStatus> {
  return networkStatusSchema.parse(await (await send(network, "/v1/network", { method: "GET" })).json());
}
