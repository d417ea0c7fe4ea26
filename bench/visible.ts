/** Time from an acknowledged write until a search shows it, per tier. */
import { TIER_NAMES, type TierName } from "@kattegat/config/network.ts";
import { putDocument, search } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { machineName, publish } from "./report.ts";
import { summarize } from "./summary.ts";

const WRITES = 100;
const POLL_MS = 5;
/** Three times the slowest promise: a write not seen by then is a failure, not a sample. */
const VISIBLE_MS_MAX = 15_000;
const TARGET_MS: Readonly<Record<TierName, number>> = {
  "ultra-hot": 200,
  hot: 200,
  warm: 1_000,
  cold: 5_000,
};

async function timeToVisible(
  network: BenchNetwork,
  options: { readonly tier: TierName; readonly number: number },
): Promise<number> {
  const { tier, number } = options;
  const id = `visible-${tier}-${number}`;
  const word = `synlighed${tier.replace("-", "")}${number}`;
  await putDocument(network, id, {
    title: id,
    text: `En bestemmelse om ${word}.`,
    lang: "da",
    residency: "global",
    tier,
  });
  const acknowledged = performance.now();
  for (;;) {
    const { hits } = await search(network, { query: word, mode: "lexical", tiers: [tier], limit: 1 });
    const elapsed = performance.now() - acknowledged;
    if (hits[0]?.document_id === id) return elapsed;
    if (elapsed > VISIBLE_MS_MAX) throw new Error(`${id} was not visible after ${VISIBLE_MS_MAX} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function benchVisible(): Promise<void> {
  const network = await startNetwork({ sample: true });
  try {
    const rows = [];
    for (const tier of TIER_NAMES) {
      const times = [];
      for (let number = 0; number < WRITES; number += 1)
        times.push(await timeToVisible(network, { tier, number }));
      const { p50, p99, max } = summarize(times);
      rows.push([tier, WRITES, p50, p99, max, TARGET_MS[tier]]);
    }
    publish({
      name: "visible",
      title: "Write to visible",
      command: "npm run bench -- visible",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        `Each write is acknowledged, then searched for every ${POLL_MS} ms through the edge, in the tier that it is pinned to.`,
      ],
      tables: [
        {
          title: "From acknowledgement to the first answer that holds it",
          columns: ["tier", "writes", "p50 ms", "p99 ms", "max ms", "target p99 ms"],
          rows,
        },
      ],
    });
  } finally {
    await network.stop();
  }
}
