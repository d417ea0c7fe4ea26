/** The sites of a network as the primary tells of them. */
import { networkStatusSchema, type NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { send } from "./client.ts";
import type { BenchNetwork } from "./network.ts";

const CAUGHT_UP_MS_MAX = 600_000;
const POLL_MS = 50;

interface ReachedSite {
  readonly site: string;
  readonly kind: NetworkStatus["sites"][number]["kind"];
  readonly atMs: number;
}

/** Resolves when every site, or every one that is searched, is where the log ends, with when each got there. */
export async function level(
  network: BenchNetwork,
  {
    without = null,
    searched = false,
  }: { readonly without?: string | null; readonly searched?: boolean } = {},
): Promise<readonly ReachedSite[]> {
  const reached = new Map<string, ReachedSite>();
  const until = performance.now() + CAUGHT_UP_MS_MAX;
  let end: string | null = null;
  for (;;) {
    const { sites, sequence } = await statusOf(network);
    end ??= sequence;
    const running = sites.filter(
      ({ id, kind, health }) =>
        health !== "not_running" && id !== without && !(searched && kind === "archive"),
    );
    for (const { id, kind, watermark } of running)
      if (watermark !== null && compareSequences(watermark, end) >= 0 && !reached.has(id))
        reached.set(id, { site: id, kind, atMs: performance.now() });
    if (reached.size === running.length) return [...reached.values()];
    if (performance.now() > until) throw new Error(`some site is not at ${end} in time`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function statusOf(network: BenchNetwork): Promise<NetworkStatus> {
  return networkStatusSchema.parse(await (await send(network, "/v1/network", { method: "GET" })).json());
}
