/** Anti-entropy in a whole network: faults planted behind its back, what finding them exchanges. */
import { repairListSchema, type RepairList } from "@kattegat/protocol/digests.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { connectSites } from "@kattegat/ops/commands/connection.ts";
import { readSettings } from "@kattegat/ops/settings.ts";
import { send } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish } from "./report.ts";
import { statusOf } from "./sites.ts";
import { FAULTS, type Kind, type Spoiler } from "./spoiler.ts";
import { openArchive } from "./spoilt-archive.ts";
import { openRegional } from "./spoilt-regional.ts";

// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const DOCUMENTS = Number(process.env["KATTEGAT_BENCH_DOCUMENTS"] ?? 100_000);
const BATCH = 1_000;
const SCRUB_POINTS_PER_SECOND = 5_000;
const SCRUB_OBJECTS_PER_SECOND = 1_000;
const COMPARE_EVERY_MS = 10_000;
const POLL_MS = 1_000;
const WAIT_MS_MAX = 900_000;
const KINDS = ["missing", "extra", "stale", "corrupted"] as const satisfies readonly Kind[];
const TARGET_SHARE = 0.01;

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

async function comparisonOf(network: BenchNetwork, site: string): Promise<Comparison | null> {
  return (await statusOf(network)).sites.find(({ id }) => id === site)?.comparison ?? null;
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

async function repairsAt(network: BenchNetwork, site: string): Promise<RepairList["repairs"]> {
  const text = await asOperator(network, "dk-cph", `/internal/digests/repairs?limit=10000&site=${site}`);
  return repairListSchema.parse(JSON.parse(text.toString("utf8"))).repairs;
}

/** Spoils copies that are spread over the ids; returns what each is. */
async function plant(spoiler: Spoiler): Promise<ReadonlyMap<string, Kind>> {
  const kinds = KINDS.flatMap((kind) => Array<Kind>(FAULTS[kind]).fill(kind));
  const step = Math.floor(DOCUMENTS / kinds.length);
  const planted = new Map<string, Kind>();
  for (const [at, kind] of kinds.entries()) planted.set(await spoiler.spoil(kind, idOf(at * step), at), kind);
  return planted;
}

interface Outcome {
  readonly site: string;
  readonly planted: ReadonlyMap<string, Kind>;
  readonly found: RepairList["repairs"];
  readonly seconds: number;
  readonly bytes: number;
  readonly scrubbedBytes: number;
  readonly idleBytes: number;
  readonly rounds: number;
  /** Of what an audit reads. */
  readonly full: number;
  /** Of the store's own objects besides, where an audit may be told to open them. */
  readonly objects: number;
}

async function run(network: BenchNetwork, spoiler: Spoiler): Promise<Outcome> {
  const { site } = spoiler;
  const asked = (): Promise<Comparison | null> => comparisonOf(network, site);
  const isEqual = (answer: Comparison | null): boolean => answer?.state === "equal";
  const rest = await until(asked, isEqual);
  const later = await until(asked, (answer) => (answer?.rounds ?? 0) > (rest?.rounds ?? 0));
  const before = await until(asked, isEqual);
  const startedAt = performance.now();
  const planted = await plant(spoiler);
  const found = await until(
    () => repairsAt(network, site),
    (list) => [...planted.keys()].every((id) => list.some(({ document_id }) => document_id === id)),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await until(asked, isEqual);
  const store = await spoiler.storeBytes();
  const answering = store === null ? ["dk-cph", site] : ["dk-cph"];
  const listings = await Promise.all(
    answering.map(async (each) => (await asOperator(network, each, "/internal/holdings")).byteLength),
  );
  return {
    site,
    planted,
    found: await repairsAt(network, site),
    seconds: found.length === 0 ? Number.NaN : seconds,
    bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0),
    scrubbedBytes: (after?.scrubbed_bytes ?? 0) - (before?.scrubbed_bytes ?? 0),
    idleBytes: (later?.bytes ?? 0) - (rest?.bytes ?? 0),
    rounds: (after?.rounds ?? 0) - (before?.rounds ?? 0),
    full: listings.reduce((sum, each) => sum + each, store?.names ?? 0),
    objects: store?.objects ?? 0,
  };
}

export async function benchAntiEntropy(): Promise<void> {
  const network = await startNetwork({
    sample: false,
    environment: {
      KATTEGAT_COMPARE_EVERY_MS: String(COMPARE_EVERY_MS),
      KATTEGAT_SCRUB_POINTS_PER_SECOND: String(SCRUB_POINTS_PER_SECOND),
      KATTEGAT_SCRUB_OBJECTS_PER_SECOND: String(SCRUB_OBJECTS_PER_SECOND),
    },
  });
  try {
    await fill(network);
    const regional = await run(network, await openRegional(network));
    const archive = await run(network, openArchive(network));
    publishOutcomes([regional, archive]);
  } finally {
    await network.stop();
  }
}

/** Healed, and told as what it is. */
function countOf({ planted, found }: Outcome, kind: Kind): readonly [number, number] {
  const its = [...planted].filter(([, each]) => each === kind).map(([id]) => id);
  const healed = its.filter((id) => found.some(({ document_id }) => document_id === id));
  const named = its.filter((id) => found.some((repair) => repair.document_id === id && repair.kind === kind));
  return [healed.length, named.length];
}

function publishOutcomes(outcomes: readonly Outcome[]): void {
  publish({
    name: "anti-entropy",
    title: "Anti-entropy",
    command: "npm run bench -- anti-entropy",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `The shipped network as a user starts it; ${DOCUMENTS.toLocaleString("en")} warm documents of one passage at eu-fra, whose Qdrant is the embedded one, and in archive-dk, whose S3 server is. Faults are made in those stores through their own APIs, spread over the ids, at one site after the other. At the regional a corrupted copy has its text or its vector altered under its right version, an extra one a document that never was; in the archive a bit of an object is turned, an extra object stands beside the right one.`,
      `The regional's scrub reads ${SCRUB_POINTS_PER_SECOND.toLocaleString("en")} points a second here (500 as shipped), the archive's ${SCRUB_OBJECTS_PER_SECOND.toLocaleString("en")} objects (20 as shipped), so a pass takes a small part of its usual time where the machine keeps up; a round comes every ${COMPARE_EVERY_MS / 1_000} s. The time is from before the first fault was planted to the last change that heals one, pass and rounds included.`,
      "Bytes are those of the bodies of all requests and answers, of the primary and the site or its bucket, in every round from the planting until the site is equal again. The full comparison is what an audit reads of the two: `GET /internal/holdings`, at the primary with the lines of its ledger and index, and the list of the bucket.",
      "Scrubbed bytes are what replication itself has read of the bucket meanwhile: its list, over and over, and each object, which an S3 server sums for nobody. A regional scrubs inside its site.",
      loadNote(),
    ],
    tables: [
      {
        title: "Faults",
        columns: ["site", "kind", "planted", "healed", "told as that kind"],
        rows: outcomes.flatMap((outcome) =>
          KINDS.map((kind) => [outcome.site, kind, FAULTS[kind], ...countOf(outcome, kind)]),
        ),
      },
      {
        title: "What it took",
        columns: [
          "site",
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
          "scrubbed bytes",
          "bytes of the objects",
        ],
        rows: outcomes.map((outcome) => [
          outcome.site,
          DOCUMENTS,
          KINDS.reduce((sum, kind) => sum + countOf(outcome, kind)[0], 0),
          outcome.found.filter(({ document_id: id }) => !outcome.planted.has(id)).length,
          outcome.seconds,
          outcome.rounds,
          outcome.bytes,
          outcome.idleBytes,
          outcome.full,
          outcome.bytes / outcome.full,
          TARGET_SHARE,
          outcome.scrubbedBytes,
          outcome.objects,
        ]),
      },
    ],
  });
}
