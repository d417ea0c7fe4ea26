/** Latency of the cold tier with an object store's latency injected at each read. */
import { join } from "node:path";
import type { ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { HOSTS, KEYS, startEdge, type EdgeHost } from "@kattegat/edge/testing/edge-host.fixture.ts";
import { searchResponseSchema } from "@kattegat/protocol/search.ts";
import { z } from "zod";
import { childCpuMs } from "./cold/child-cpu.ts";
import { zoneRequest } from "./cold/zone-request.ts";
import { serveFiles } from "./cold/file-server.ts";
import { keptLaw, STATISTICS_KEY, type KeptLaw } from "./cold/kept-law.ts";
import { LAW_FILE } from "./corpus.ts";
import { loadNote, machineName, publish } from "./report.ts";
import { summarize } from "./summary.ts";

/** In each case; fewer for a quick look. */
const ASKED = Number(process.env["KATTEGAT_BENCH_ASKED"] ?? 100);
/** Longer than a manifest is believed. */
const MANIFEST_OLD_MS = 1_100;
const ACCOUNT_POLL_MS = 2;

const accountSchema = z.object({
  reads: z.int(),
  bytes: z.int(),
  rounds: z.int(),
  cacheOperations: z.int(),
  calls: z.int(),
  isDone: z.boolean(),
});

interface Asked extends z.infer<typeof accountSchema> {
  readonly ms: number;
  readonly isPartial: boolean;
}

interface Case {
  readonly name: string;
  readonly target: readonly [p50: number, p99: number] | null;
  /** Asks the question with this number as the case has it. */
  ask(number: number): Promise<Asked>;
}

export async function benchColdLatency(): Promise<void> {
  if (LAW_FILE === null) {
    console.log("  left out: KATTEGAT_BENCH_LAW names no file");
    return;
  }
  const edge = await startEdge((network) => network, {
    entry: join(import.meta.dirname, "cold", "latency-worker.ts"),
  });
  try {
    const law = await keptLaw(LAW_FILE, edge.network.embedding.model);
    const store = await serveFiles(law.folder);
    try {
      await upload(edge, law);
      const rows = [];
      for (const each of casesOf(new Asker(edge, law, store.url))) rows.push(await rowOf(each));
      report(rows, law.manifest);
    } finally {
      store.close();
    }
  } finally {
    await edge.close();
  }
}

async function upload(edge: EdgeHost, law: KeptLaw): Promise<void> {
  await edge.putObject("global", STATISTICS_KEY, law.read(STATISTICS_KEY));
  await edge.putManifest("global", JSON.stringify(law.manifest));
}

/** Puts questions to the zone `global`, which searches one index, as an isolate and at a location of one's choice. */
class Asker {
  readonly #edge: EdgeHost;
  readonly #law: KeptLaw;
  #isolates = 0;
  #colos = 0;

  readonly #store: string;

  constructor(edge: EdgeHost, law: KeptLaw, store: string) {
    this.#edge = edge;
    this.#law = law;
    this.#store = store;
  }

  newIsolate(): string {
    this.#isolates += 1;
    return `i${this.#isolates}`;
  }

  /** A location of which nothing is cached. */
  newColo(): string {
    this.#colos += 1;
    const letter = (place: number): string =>
      String.fromCodePoint(65 + (Math.floor(this.#colos / 26 ** place) % 26));
    return letter(2) + letter(1) + letter(0);
  }

  async ask(
    number: number,
    { isolate, colo }: { readonly isolate: string; readonly colo: string },
  ): Promise<Asked> {
    const question = this.#law.questions[number % this.#law.questions.length];
    if (question === undefined) throw new Error("there are no questions");
    const body = {
      query: question.text,
      vector: question.vector,
      tiers: ["cold"],
      limit: 10,
      timeout_ms: 10_000,
    };
    const headers = {
      authorization: `Bearer ${KEYS.search}`,
      "content-type": "application/json",
      "x-test-isolate": isolate,
      "x-kattegat-caller-colo": colo,
      "x-test-store": this.#store,
    };
    const { ms, status, text } = await this.#request("/v1/search", headers, JSON.stringify(body));
    if (status !== 200) throw new Error(`expected 200, got ${status}: ${text}`);
    const { partial, hits, tiers } = searchResponseSchema.parse(JSON.parse(text));
    if (hits.length === 0)
      throw new Error(`expected hits for question ${number}, got ${JSON.stringify(tiers)}`);
    return { ms, isPartial: partial, ...(await this.#account()) };
  }

  async reference(): Promise<Asked> {
    const { ms } = await this.#request("/test/read", { "x-test-isolate": "reference" });
    return { ms, isPartial: false, ...(await this.#account()) };
  }

  /** Until the whole answer is there. */
  async #request(
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ readonly ms: number; readonly status: number; readonly text: string }> {
    const started = performance.now();
    const options = { host: HOSTS.global, path, headers, ...(body === undefined ? {} : { body }) };
    const answer = await zoneRequest(this.#edge.url, options);
    return { ms: performance.now() - started, ...answer };
  }

  /** Of the last request, when what it left for later is done too. */
  async #account(): Promise<z.infer<typeof accountSchema>> {
    for (;;) {
      const account = accountSchema.parse(await (await this.#edge.fetch("global", "/test/account")).json());
      if (account.isDone) return account;
      await sleep(ACCOUNT_POLL_MS);
    }
  }
}

function casesOf(asker: Asker): readonly Case[] {
  const cold = [200, 400] as const;
  const warm = [12, 40] as const;
  const isolate = asker.newIsolate();
  const colo = asker.newColo();
  const warmed = async (number: number, waitMs: number): Promise<Asked> => {
    const fresh = asker.newIsolate();
    await asker.ask(number + ASKED, { isolate: fresh, colo: asker.newColo() });
    await sleep(waitMs);
    return asker.ask(number, { isolate: fresh, colo: asker.newColo() });
  };
  return [
    { name: "reference: one byte read through the same path", target: null, ask: () => asker.reference() },
    {
      name: "cold colo, new isolate",
      target: cold,
      ask: (number) => asker.ask(number, { isolate: asker.newIsolate(), colo: asker.newColo() }),
    },
    { name: "cold colo, warm isolate", target: cold, ask: (number) => warmed(number, 0) },
    {
      name: "cold colo, warm isolate, manifest to be read again",
      target: cold,
      ask: (number) => warmed(number, MANIFEST_OLD_MS),
    },
    {
      name: "location and isolate fill as they are asked",
      target: null,
      ask: (number) => asker.ask(number, { isolate, colo }),
    },
    {
      name: "warm colo, warm isolate, asked before",
      target: warm,
      ask: (number) => asker.ask(number, { isolate, colo }),
    },
    {
      name: "warm colo, new isolate, asked before",
      target: null,
      ask: (number) => asker.ask(number, { isolate: asker.newIsolate(), colo }),
    },
    {
      name: "warm colo, warm isolate, not asked before",
      target: null,
      ask: (number) => asker.ask(number + ASKED, { isolate, colo }),
    },
  ];
}

async function rowOf({ name, target, ask }: Case): Promise<(string | number | null)[]> {
  console.log(`  ${name}`);
  const cpuBefore = childCpuMs("workerd");
  const asked: Asked[] = [];
  for (let number = 0; number < ASKED; number += 1) asked.push(await ask(number));
  const cpuMs = (childCpuMs("workerd") - cpuBefore) / ASKED;
  const { p50, p99 } = summarize(asked.map(({ ms }) => ms));
  const mean = (of: (each: Asked) => number): number =>
    asked.reduce((sum, each) => sum + of(each), 0) / ASKED;
  return [
    name,
    p50,
    p99,
    target === null ? null : target.join(" / "),
    mean(({ reads }) => reads),
    mean(({ bytes }) => bytes) / 1_024,
    mean(({ rounds }) => rounds),
    mean(({ cacheOperations }) => cacheOperations),
    Math.max(...asked.map(({ reads, cacheOperations, calls }) => reads + cacheOperations + calls)),
    asked.filter(({ isPartial }) => isPartial).length,
    cpuMs,
  ];
}

function report(rows: (string | number | null)[][], { base }: ColdManifest): void {
  publish({
    name: "cold-latency",
    title: "Latency of the cold tier",
    command: "KATTEGAT_BENCH_LAW=danish-law.ndjson.zst npm run bench -- cold-latency",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `A base of ${(base?.passages ?? 0).toLocaleString("en-US")} provisions of Danish law, hybrid questions of eight words with their vectors, ten hits, in workerd through HTTP, one question at a time, ${ASKED} in each case.`,
      "Each read of the bucket waits as an object store's does (p50 63, p99 78, p99.9 118 ms), six of one invocation at once, as the platform has it; the objects of the base are files behind HTTP on loopback, the manifest and the statistics lie in workerd's imitation of a bucket. The location's cache is workerd's own and local, and does not count as a connection here.",
      "A question brings its vector: where the edge makes it with a learned embedding, the rows of its rare words are one round more.",
      "A round is a time at which a read began while none was waiting. Subrequests are reads, calls of other invocations and cache operations, those after the answer too; a search may make 40.",
      "CPU is what the whole of workerd took, its imitation of the bucket included; a warm isolate is one that has answered another question, whose CPU is counted too. The reference row's CPU is what one read of that imitation, with the account of it, takes.",
      loadNote(),
    ],
    tables: [
      {
        title: "One search",
        columns: [
          "",
          "p50 ms",
          "p99 ms",
          "targets ms",
          "reads",
          "KiB",
          "rounds",
          "cache operations",
          "subrequests at most",
          "partial answers",
          "CPU ms",
        ],
        rows,
      },
    ],
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
