/** How long changes of cold documents take to be seen, and deleted ones to be gone, at every edge. */
import { setTimeout as sleep } from "node:timers/promises";
import { batchResultSchema } from "@kattegat/protocol/documents.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import type { SearchResponse } from "@kattegat/protocol/search.ts";
import { search, send } from "./client.ts";
import { hasLawFile, LAW_FILE, lawProvisions } from "./corpus.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish, type Table } from "./report.ts";
import { summarize } from "./summary.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

/** Fewer for a quick look. */
const CHANGES = Number(process.env["KATTEGAT_BENCH_CHANGES"] ?? 10_000);
const DOCUMENTS = Math.ceil(CHANGES * 0.6);
/** A base is made of the documents before anything is measured. */
const BASE_PASSAGES_MIN = Math.ceil(DOCUMENTS * 0.6);
const BATCH = 50;
const DELETES = Math.ceil(CHANGES / 100);
const POLL_MS = 50;
/** Of many changes that are looked for at once: a twenty-fifth of the promise. */
const CHANGE_POLL_MS = 200;
const SEARCHES_AT_ONCE = 2;
/** Six times the slower promise: what is not seen by then is a failure, not a sample. */
const SEEN_MS_MAX = 30_000;
const BASE_MS_MAX = 120_000;

interface Edge {
  readonly id: string;
  readonly network: BenchNetwork;
}

interface Running {
  readonly searchMs: number[];
  partial: number;
  stop(): Promise<void>;
}
const wordOf = (number: number, version: number): string => `ændringsord${number}x${version}`;

export async function benchPublishing(): Promise<void> {
  const texts = await textsOf(DOCUMENTS);
  const environment = { KATTEGAT_BASE_PASSAGES_MIN: String(BASE_PASSAGES_MIN) };
  const network = await startNetwork({ sample: false, environment });
  try {
    const edges = await edgesOf(network);
    console.log(`  ${DOCUMENTS} documents`);
    for (let from = 0; from < DOCUMENTS; from += BATCH) await write(network, from, { texts, version: 1 });
    await baseAt(edges);
    const running = searches(edges, texts);
    console.log(`  ${CHANGES} changes`);
    const changes = await changed(network, edges, texts);
    console.log(`  ${DELETES} deletions`);
    const gone = await deleted(network, edges);
    await running.stop();
    report([...changes.rows, ...gone], { running, seconds: changes.seconds });
  } finally {
    await network.stop();
  }
}

/** Real provisions, or sentences of one where no file is named. */
async function textsOf(count: number): Promise<readonly string[]> {
  const texts: string[] = [];
  if (hasLawFile() && LAW_FILE !== null)
    for await (const text of lawProvisions(LAW_FILE)) {
      texts.push(text.slice(0, 2_000));
      if (texts.length === count) break;
    }
  while (texts.length < count) texts.push(`Afgørelse nummer ${texts.length} kan påklages inden fire uger.`);
  return texts;
}

async function edgesOf(network: BenchNetwork): Promise<readonly Edge[]> {
  const answer = await send(network, "/v1/network", { method: "GET" });
  const { sites } = networkStatusSchema.parse(await answer.json());
  return sites.flatMap(({ id, kind, url }) =>
    kind === "edge" && url !== null ? [{ id, network: { ...network, url } }] : [],
  );
}

/** Stores the batch's documents, each with a word of its own that names its version. */
async function write(
  network: BenchNetwork,
  from: number,
  { texts, version }: { readonly texts: readonly string[]; readonly version: number },
): Promise<void> {
  const lines = Array.from({ length: BATCH }, (_, at) => {
    const number = (from + at) % DOCUMENTS;
    const text = `${texts[number] ?? ""} ${wordOf(number, version)}`;
    const about = { title: `Bestemmelse ${number}`, lang: "da", residency: "global", tier: "cold" };
    return JSON.stringify({ id: `publish-${number}`, ...about, text });
  });
  const body = `${lines.join("\n")}\n`;
  const type = "application/x-ndjson";
  const answer = await send(network, "/v1/documents:batch", { method: "POST", body, type });
  if (!answer.ok) throw new Error(`batch: expected 200, got ${answer.status}: ${await answer.text()}`);
  const results = (await answer.text()).trim().split("\n");
  for (const line of results) {
    const { status } = batchResultSchema.parse(JSON.parse(line));
    if (status >= 300) throw new Error(`batch: expected a document to be stored, got ${line}`);
  }
}

async function baseAt(edges: readonly Edge[]): Promise<void> {
  const started = performance.now();
  for (const { id, network } of edges)
    for (;;) {
      const query = `bestemmelse ${Math.random()}`;
      const { tiers } = await search(network, { query, tiers: ["cold"], explain: true });
      if (tiers.some(({ reason }) => reason?.includes("lists and blocks") === true)) break;
      if (performance.now() - started > BASE_MS_MAX) throw new Error(`no base at ${id}`);
      await sleep(500);
    }
}

/** Callers that ask for cold documents until they are told to stop. */
function searches(edges: readonly Edge[], texts: readonly string[]): Running {
  const random = seededRandom(5);
  let isStopping = false;
  const running: Running = {
    searchMs: [],
    partial: 0,
    async stop() {
      isStopping = true;
      await Promise.all(callers);
    },
  };
  const ask = async (edge: Edge | undefined): Promise<void> => {
    if (edge === undefined) return;
    const words = (texts[Math.floor(random() * texts.length)] ?? "").split(/\s+/);
    const from = Math.floor(random() * Math.max(1, words.length - 8));
    const started = performance.now();
    const query =
      words
        .slice(from, from + 8)
        .join(" ")
        .slice(0, 500) || "frist";
    const { partial } = await search(edge.network, { query, tiers: ["cold"] });
    running.searchMs.push(performance.now() - started);
    if (partial) running.partial += 1;
  };
  const callers = Array.from({ length: SEARCHES_AT_ONCE }, async (_, caller) => {
    for (let number = caller; !isStopping; number += 1) {
      await ask(edges[number % edges.length]);
      await sleep(POLL_MS);
    }
  });
  return running;
}

/** Milliseconds until a search for the word is answered so. */
async function until(
  { id, network }: Edge,
  word: string,
  isSo: (answer: SearchResponse) => boolean,
  pollMs = POLL_MS,
): Promise<number> {
  const started = performance.now();
  for (;;) {
    const answer = await search(network, { query: word, mode: "lexical", tiers: ["cold"], limit: 1 });
    const elapsed = performance.now() - started;
    if (isSo(answer)) return elapsed;
    if (elapsed > SEEN_MS_MAX) throw new Error(`${word} at ${id}: not so after ${SEEN_MS_MAX} ms`);
    await sleep(pollMs);
  }
}

type Row = Table["rows"][number];

/** One change of each batch is looked for, at every edge, from its acknowledgement on. */
async function changed(
  network: BenchNetwork,
  edges: readonly Edge[],
  texts: readonly string[],
): Promise<{ readonly rows: readonly Row[]; readonly seconds: number }> {
  const times = new Map<string, number[]>(edges.map(({ id }) => [id, []]));
  const looking: Promise<void>[] = [];
  const started = performance.now();
  for (let from = 0; from < CHANGES; from += BATCH) {
    const version = 2 + Math.floor(from / DOCUMENTS);
    await write(network, from, { texts, version });
    const number = from % DOCUMENTS;
    for (const edge of edges)
      looking.push(
        until(
          edge,
          wordOf(number, version),
          ({ hits }) => hits[0]?.document_id === `publish-${number}`,
          CHANGE_POLL_MS,
        ).then((ms) => void times.get(edge.id)?.push(ms)),
      );
  }
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all(looking);
  return { rows: rowsOf("changed, seen", times, 5_000), seconds };
}

/** Each is searched for twice before it is deleted, so that its hit is in the cache. */
async function deleted(network: BenchNetwork, edges: readonly Edge[]): Promise<readonly Row[]> {
  const times = new Map<string, number[]>(edges.map(({ id }) => [id, []]));
  // The last changes of all gave them these words.
  const version = 2 + Math.floor((CHANGES - 1) / DOCUMENTS);
  for (let number = 0; number < DELETES; number += 1) {
    const word = wordOf(number, version);
    const isShown = ({ hits }: SearchResponse): boolean => hits[0]?.document_id === `publish-${number}`;
    for (const edge of edges) for (let time = 0; time < 2; time += 1) await until(edge, word, isShown);
    const answer = await send(network, `/v1/documents/publish-${number}`, { method: "DELETE" });
    if (!answer.ok) throw new Error(`delete: expected 200, got ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    await Promise.all(
      edges.map(async (edge) => {
        times.get(edge.id)?.push(await until(edge, word, (found) => !isShown(found)));
      }),
    );
  }
  return rowsOf("deleted, no longer shown", times, 2_000);
}

function rowsOf(what: string, times: ReadonlyMap<string, readonly number[]>, targetMs: number): Row[] {
  return [...times].map(([edge, ms]) => {
    const { count, p50, p99, max } = summarize(ms);
    return [what, edge, count, p50, p99, max, targetMs];
  });
}

function report(
  rows: readonly Row[],
  { running, seconds }: { readonly running: Running; readonly seconds: number },
): void {
  const { count, p50, p99 } = summarize(running.searchMs);
  publish({
    name: "publish",
    title: "Publishing to the cold tier",
    command: "npm run bench -- publish",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `The whole network with ${DOCUMENTS.toLocaleString("en-US")} cold documents in a base (KATTEGAT_BASE_PASSAGES_MIN=${BASE_PASSAGES_MIN}); ${CHANGES.toLocaleString("en-US")} changes of them in batches of ${BATCH}, one of each batch looked for. Bases are made anew meanwhile.`,
      `From the acknowledgement to the answer of a search by a word that only this version has, every ${CHANGE_POLL_MS} ms (deleted ones every ${POLL_MS}) at each edge; the hit of a deleted document was in the cache.`,
      "Clients, every site, Postgres and the edges share the machine's cores, with whatever else runs there.",
      loadNote(),
    ],
    tables: [
      {
        title: "From acknowledgement to visible, from acknowledgement to gone",
        columns: ["what", "edge", "samples", "p50 ms", "p99 ms", "max ms", "target p99 ms"],
        rows: [...rows],
      },
      {
        title: "Meanwhile",
        columns: ["changes a second", "other searches", "p50 ms", "p99 ms", "partial answers"],
        rows: [[CHANGES / seconds, count, p50, p99, running.partial]],
      },
    ],
  });
}
