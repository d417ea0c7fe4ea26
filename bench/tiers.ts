/** Latency per tier through the edge, with the requests a second that one edge process sustains. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import autocannon from "autocannon";
import { headersOf, search } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { sampleQueries } from "./queries.ts";
import { machineName, publish, type Table } from "./report.ts";
import { summarize } from "./summary.ts";

const QUERIES = 300;
const LOAD_SECONDS = 8;
/** Two cores carry clients and every site, so more connections only queue. */
const CONNECTIONS = 8;

async function latencies(network: BenchNetwork): Promise<Table> {
  const groups = [
    ...TIER_NAMES.map((tier) => ({ name: tier, tiers: [tier] })),
    { name: "all four", tiers: [...TIER_NAMES] },
  ];
  const times = new Map<string, number[]>(groups.map(({ name }) => [name, []]));
  for (const query of sampleQueries({ count: 20, seed: 1 })) await search(network, { query });
  for (const query of sampleQueries({ count: QUERIES, seed: 2 })) {
    for (const { name, tiers } of groups) {
      const started = performance.now();
      const answer = await search(network, { query, tiers });
      times.get(name)?.push(performance.now() - started);
      if (answer.partial)
        throw new Error(
          `a partial answer for tier ${name} is no measurement: ${JSON.stringify(answer.tiers)}`,
        );
    }
  }
  return {
    title: `Search through the edge over HTTP, ${QUERIES} different hybrid queries one after another`,
    columns: ["tier", "p50 ms", "p95 ms", "p99 ms"],
    rows: groups.map(({ name }) => {
      const { p50, p95, p99 } = summarize(times.get(name) ?? []);
      return [name, p50, p95, p99];
    }),
  };
}

interface Load {
  readonly name: string;
  /** The body of the n-th request. */
  readonly body: (n: number) => Readonly<Record<string, unknown>>;
}

async function load(
  network: BenchNetwork,
  { body }: Load,
): Promise<{ readonly rps: number; readonly p50: number; readonly p99: number; readonly failed: number }> {
  let sent = 0;
  const result = await autocannon({
    url: `${network.url}/v1/search`,
    connections: CONNECTIONS,
    duration: LOAD_SECONDS,
    requests: [
      {
        method: "POST",
        headers: headersOf(network),
        setupRequest: (request) => ({ ...request, body: JSON.stringify(body((sent += 1))) }),
      },
    ],
  });
  return {
    rps: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.non2xx + result.errors,
  };
}

async function throughput(network: BenchNetwork): Promise<Table> {
  const many = sampleQueries({ count: 5_000, seed: 3 });
  const loads: Load[] = [
    {
      name: "cold tier, one query (cached)",
      body: () => ({ query: "ret til undervisning", tiers: ["cold"] }),
    },
    {
      name: "cold tier, different queries (uncached)",
      body: (n) => ({ query: many[n % many.length], tiers: ["cold"] }),
    },
    { name: "all tiers, one query", body: () => ({ query: "ret til undervisning" }) },
    { name: "all tiers, different queries", body: (n) => ({ query: many[n % many.length] }) },
  ];
  const rows = [];
  for (const each of loads) {
    const { rps, p50, p99, failed } = await load(network, each);
    if (failed > 0)
      throw new Error(
        `${each.name}: ${failed} requests were not answered with 200, so the rate is no measurement`,
      );
    rows.push([each.name, rps, p50, p99]);
  }
  return {
    title: `Load: ${CONNECTIONS} connections for ${LOAD_SECONDS} s against one edge process; clients and all sites share the machine`,
    columns: ["request", "requests a second", "p50 ms", "p99 ms"],
    rows,
  };
}

export async function benchTiers(): Promise<void> {
  const network = await startNetwork({ sample: true });
  try {
    const tables = [await latencies(network), await throughput(network)];
    publish({
      name: "tiers",
      title: "End to end through the edge",
      command: "npm run bench -- tiers",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        "The sample texts; every process of the network on one machine, real workerd, Postgres, Qdrant protocol.",
      ],
      tables,
    });
  } finally {
    await network.stop();
  }
}
