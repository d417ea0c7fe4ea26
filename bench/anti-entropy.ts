/** Anti-entropy in a whole network: faults planted behind its back, what finding them exchanges. */
import { repairListSchema, type RepairList } from "@kattegat/protocol/digests.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { connectSites } from "@kattegat/ops/commands/connection.ts";
import { qdrantName } from "@kattegat/ops/local/process-names.ts";
import { runningProcess } from "@kattegat/ops/local/running-process.ts";
import { readSettings } from "@kattegat/ops/settings.ts";
import { QdrantClient } from "@qdrant/js-client-rest";
import { z } from "zod";
import { send } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish } from "./report.ts";
import { statusOf } from "./sites.ts";

// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const DOCUMENTS = Number(process.env["KATTEGAT_BENCH_DOCUMENTS"] ?? 100_000);
const SITE = "eu-fra";
const BATCH = 1_000;
const SCRUB_POINTS_PER_SECOND = 5_000;
const COMPARE_EVERY_MS = 10_000;
const POLL_MS = 1_000;
const WAIT_MS_MAX = 900_000;
/** Fifty, in the order of the kinds below. */
const FAULTS = { missing: 13, extra: 12, stale: 12, corrupted: 13 } as const;
const TARGET_SHARE = 0.01;

type Kind = keyof typeof FAULTS;
type Comparison = NonNullable<NetworkStatus["sites"][number]["comparison"]>;

const idOf = (number: number): string => `sag-${number}`;

async function fill(network: BenchNetwork): Promise<void> {
  for (let from = 0; from < DOCUMENTS; from += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, DOCUMENTS - from) }, (_, at) => {
      const number = from + at;
      const text = `Sag ${number}: klage over afgørelse ${number % 977} om havn, fiskeri og bygning ${number % 89}.`;
      return JSON.stringify({
        id: idOf(number),
        title: `Sag ${number}`,
        text,
        residency: "eu",
        tier: "warm",
      });
    });
    const answer = await send(network, "/v1/documents:batch", {
      method: "POST",
      body: `${lines.join("\n")}\n`,
      type: "application/x-ndjson",
    });
    if (!answer.ok) throw new Error(`batch: expected 200, got ${answer.status}`);
    await answer.arrayBuffer();
  }
}

async function comparisonOf(network: BenchNetwork): Promise<Comparison | null> {
  return (await statusOf(network)).sites.find(({ id }) => id === SITE)?.comparison ?? null;
}

async function until<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  const endsAt = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (isDone(answer) || performance.now() > endsAt) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Asks a process of the network as its operator; resolves with the bytes of the answer. */
async function asOperator(network: BenchNetwork, site: string, path: string): Promise<Buffer> {
  const sites = await connectSites(readSettings({ KATTEGAT_DATA: network.data }), { url: network.url });
  const client = sites.site(site);
  if (client === null) throw new Error(`the network tells no address of ${site}`);
  const request = { timeoutMs: WAIT_MS_MAX, signal: new AbortController().signal };
  return await client.request(path, request, async (answer) => Buffer.from(await answer.arrayBuffer()));
}

async function repairs(network: BenchNetwork): Promise<RepairList["repairs"]> {
  const text = await asOperator(network, "dk-cph", `/internal/digests/repairs?limit=10000&site=${SITE}`);
  return repairListSchema.parse(JSON.parse(text.toString("utf8"))).repairs;
}

async function qdrantOf(network: BenchNetwork): Promise<{ client: QdrantClient; passages: string }> {
  const url = runningProcess(network.data, qdrantName(SITE)).url;
  const client = new QdrantClient({ url, checkCompatibility: false });
  const { collections } = await client.getCollections();
  const found = collections.find(({ name }) => name.startsWith("kattegat_passages"));
  return { client, passages: found?.name ?? "" };
}

/** Spoils copies that are spread over the ids; returns what each is. */
async function plant(network: BenchNetwork): Promise<ReadonlyMap<string, Kind>> {
  const { client, passages } = await qdrantOf(network);
  const planted = new Map<string, Kind>();
  const kinds = Object.entries(FAULTS).flatMap(([kind, count]) => Array<string>(count).fill(kind));
  const step = Math.floor(DOCUMENTS / kinds.length);
  const wait = true;
  for (const [at, name] of kinds.entries()) {
    const kind = z.enum(["missing", "extra", "stale", "corrupted"]).parse(name);
    const document = idOf(at * step);
    const filter = { must: [{ key: "document_id", match: { value: document } }] };
    const { points } = await client.scroll(passages, { filter, with_payload: true, with_vector: true });
    const ids = points.map(({ id }) => id);
    const [point] = points;
    if (point === undefined) throw new Error(`expected points of ${document}`);
    if (kind === "missing") await client.delete(passages, { wait, points: ids });
    if (kind === "stale") await client.setPayload(passages, { wait, payload: { version: "0" }, points: ids });
    if (kind === "corrupted") {
      const payload = { ...point.payload, text: `${String(point.payload?.["text"])} rettet` };
      const vector = z.record(z.string(), z.any()).parse(point.vector);
      // Half of them in the text, half in the vector.
      const spoilt = { ...vector, dense: vector["dense"].toReversed() };
      const isText = at % 2 === 0;
      const changed = {
        id: point.id,
        payload: isText ? payload : { ...point.payload },
        vector: isText ? vector : spoilt,
      };
      await client.upsert(passages, { wait, points: [changed] });
    }
    const id = kind === "extra" ? `never-${at}` : document;
    if (kind === "extra") {
      const payload = { ...point.payload, document_id: id };
      const vector = z.record(z.string(), z.any()).parse(point.vector);
      await client.upsert(passages, { wait, points: [{ id: crypto.randomUUID(), vector, payload }] });
    }
    planted.set(id, kind);
  }
  return planted;
}

interface Outcome {
  readonly planted: ReadonlyMap<string, Kind>;
  readonly found: RepairList["repairs"];
  readonly seconds: number;
  readonly bytes: number;
  readonly idleBytes: number;
  readonly rounds: number;
}

async function run(network: BenchNetwork): Promise<Outcome> {
  const isEqual = (answer: Comparison | null): boolean => answer?.state === "equal";
  const rest = await until(() => comparisonOf(network), isEqual);
  const later = await until(
    () => comparisonOf(network),
    (answer) => (answer?.rounds ?? 0) > (rest?.rounds ?? 0),
  );
  const before = await until(() => comparisonOf(network), isEqual);
  const startedAt = performance.now();
  const planted = await plant(network);
  const found = await until(
    () => repairs(network),
    (list) => [...planted.keys()].every((id) => list.some(({ document_id }) => document_id === id)),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await until(() => comparisonOf(network), isEqual);
  return {
    planted,
    found: await repairs(network),
    seconds: found.length === 0 ? Number.NaN : seconds,
    bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0),
    idleBytes: (later?.bytes ?? 0) - (rest?.bytes ?? 0),
    rounds: (after?.rounds ?? 0) - (before?.rounds ?? 0),
  };
}

export async function benchAntiEntropy(): Promise<void> {
  const network = await startNetwork({
    sample: false,
    environment: {
      KATTEGAT_COMPARE_EVERY_MS: String(COMPARE_EVERY_MS),
      KATTEGAT_SCRUB_POINTS_PER_SECOND: String(SCRUB_POINTS_PER_SECOND),
    },
  });
  try {
    await fill(network);
    const outcome = await run(network);
    const listings = await Promise.all(
      ["dk-cph", SITE].map(
        async (site) => (await asOperator(network, site, "/internal/holdings")).byteLength,
      ),
    );
    publishOutcome(
      outcome,
      listings.reduce((sum, each) => sum + each, 0),
    );
  } finally {
    await network.stop();
  }
}

function publishOutcome({ planted, found, seconds, bytes, idleBytes, rounds }: Outcome, full: number): void {
  const kinds = Object.entries(FAULTS).map(([kind, count]) => {
    const its = [...planted].filter(([, each]) => each === kind).map(([id]) => id);
    const healed = its.filter((id) => found.some(({ document_id }) => document_id === id));
    const named = its.filter((id) =>
      found.some((repair) => repair.document_id === id && repair.kind === kind),
    );
    return [kind, count, healed.length, named.length];
  });
  const foreign = found.filter(({ document_id: id }) => !planted.has(id)).length;
  publish({
    name: "anti-entropy",
    title: "Anti-entropy",
    command: "npm run bench -- anti-entropy",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `The shipped network as a user starts it; ${DOCUMENTS.toLocaleString("en")} warm documents of one passage at ${SITE}, whose Qdrant is the embedded one. Faults are made in that store through its own API, spread over the ids; a corrupted copy has its text or its vector altered under its right version.`,
      `The site's scrub reads ${SCRUB_POINTS_PER_SECOND.toLocaleString("en")} points a second here (500 as shipped), so a pass takes a tenth of its usual time where the machine keeps up; a round comes every ${COMPARE_EVERY_MS / 1_000} s. The time is from before the first fault was planted to the last change that heals one, pass and rounds included.`,
      "Bytes are those of the bodies of all requests and answers, of the primary and the site, in every round from the planting until the site is equal again. The full comparison is what an audit reads of the two: `GET /internal/holdings`, at the primary with the lines of its ledger and index; the site alone has some 230 bytes a copy there.",
      loadNote(),
    ],
    tables: [
      {
        title: "Faults",
        columns: ["kind", "planted", "healed", "told as that kind"],
        rows: kinds,
      },
      {
        title: "What it took",
        columns: [
          "documents",
          "healed",
          "repairs of right copies",
          "s",
          "rounds",
          "bytes",
          "bytes of a round with nothing to find",
          "bytes of a full comparison",
          "share",
          "target share",
        ],
        rows: [
          [
            DOCUMENTS,
            kinds.reduce((sum, [, , healed]) => sum + Number(healed), 0),
            foreign,
            seconds,
            rounds,
            bytes,
            idleBytes,
            full,
            bytes / full,
            TARGET_SHARE,
          ],
        ],
      },
    ],
  });
}
