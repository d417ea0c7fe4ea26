/** Objects a second into an archive's bucket, with what they cost. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FeedChange } from "@kattegat/protocol/changes.ts";
import { FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { createArchiveTarget } from "@kattegat/replication/archive/archive-target.ts";
import { ListedDigests } from "@kattegat/replication/archive/listed-digests.ts";
import { bucketOpener } from "@kattegat/replication/archive/open-bucket.ts";
import type { Target } from "@kattegat/replication/target.ts";
import { loadNote, machineName, publish, type Table } from "./report.ts";

const DOCUMENTS = 4_096;
/** What the feed gives at once. */
const BATCH = 512;
/** Of a typical law text, sealed. */
const BODY_BYTES = 3_000;
const TICKS_PER_SECOND = 100;
const KEY = { accessKeyId: "bench", secretAccessKey: "a secret of the benchmark" };
const SITE = "archive-dk";

export async function benchArchive(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kattegat-bench-s3-"));
  const server = await startServer(folder);
  try {
    const open = bucketOpener({
      endpoints: { [SITE]: server.url },
      region: "us-east-1",
      ...KEY,
      sessionToken: undefined,
    });
    const bucket = open({ id: SITE, kind: "archive", running: true, bucket: { name: "bench-archive" } });
    if (bucket === null) throw new TypeError("expected the bucket that was just named");
    const target = createArchiveTarget({
      site: SITE,
      model: "none",
      bucket,
      pace: { turn: () => Promise.resolve() },
      watch: new ListedDigests(),
      mayHold: () => true,
    });
    const rows: Table["rows"] = [];
    let at = 0;
    for (const [name, change] of KINDS) {
      rows.push(await measured(name, { target, pid: server.pid, from: at, change }));
      at += DOCUMENTS;
    }
    publish({
      name: "archive",
      title: "The archive",
      command: "npm run bench -- archive",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        `${DOCUMENTS.toLocaleString("en-US")} documents of ${BODY_BYTES.toLocaleString("en-US")} sealed bytes, in batches of ${BATCH} as the feed gives them, to the embedded S3 server over loopback; every object is flushed to the disk before it is acknowledged; without the gaps that replication leaves while it is busy. A document is one request and its share of the batch's one deletion, since this process remembers what it has put; after a start each earlier copy is listed first.`,
        `After that the server's process had ${residentMib(server.pid).toFixed(0)} MiB resident.`,
        loadNote(),
      ],
      tables: [{ title: "Changes into the bucket", columns: COLUMNS, rows }],
    });
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const COLUMNS = ["documents", "s", "changes/s", "replication CPU ms/change", "server CPU ms/change"];
const COMMITTED_AT = new Date(0).toISOString();

/** The same documents each time. */
const KINDS: readonly (readonly [string, (document: number, sequence: number) => FeedChange])[] = [
  ["new", (document, sequence) => putOf(document, sequence, false)],
  ["replaced", (document, sequence) => putOf(document, sequence, true)],
  [
    "withdrawn",
    (document, sequence) => ({
      kind: "withdraw",
      epoch: 1,
      sequence: String(sequence),
      committed_at: COMMITTED_AT,
      document_id: `d${document}`,
      reason: "deleted",
    }),
  ],
];

function putOf(document: number, sequence: number, replaces: boolean): FeedChange {
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const sealed = (bytes: number): string =>
    Buffer.concat([Uint8Array.of(1), randomBytes(bytes)]).toString("base64");
  return {
    kind: "put-sealed",
    epoch: 1,
    sequence: String(sequence),
    committed_at: COMMITTED_AT,
    document_id: `d${document}`,
    replaces,
    sealed: {
      document: sha256(`d${document}`),
      epoch: 1,
      version: String(sequence),
      residency: "eu",
      digest: sha256(`${document} ${sequence}`),
      key: { partition: 1, version: 1, id: "AAAA", wrapped: sealed(60) },
      record: sealed(200),
      head: sealed(200),
      body: sealed(BODY_BYTES),
      own: [],
      vectors: [],
    },
  };
}

async function measured(
  name: string,
  {
    target,
    pid,
    from,
    change,
  }: {
    readonly target: Target;
    readonly pid: number;
    readonly from: number;
    readonly change: (document: number, sequence: number) => FeedChange;
  },
): Promise<Table["rows"][number]> {
  const batches = Array.from({ length: DOCUMENTS / BATCH }, (_, batch) =>
    Array.from({ length: BATCH }, (__, index) => {
      const document = batch * BATCH + index;
      return change(document, from + document + 1);
    }),
  );
  const signal = new AbortController().signal;
  const own = process.cpuUsage();
  const served = cpuMs(pid);
  const startedMs = performance.now();
  let after: Fence = from === 0 ? FENCE_ZERO : { epoch: 1, sequence: String(from) };
  for (const changes of batches) {
    const position: Fence = { epoch: 1, sequence: changes.at(-1)?.sequence ?? "0" };
    const head = {
      kind: "head",
      ...position,
      at: COMMITTED_AT,
      model: "none",
      statistics_version: null,
    } as const;
    await target.apply({ changes, after, position, positionAt: COMMITTED_AT, head }, signal);
    after = position;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(own);
  return [
    name,
    seconds,
    DOCUMENTS / seconds,
    (user + system) / 1_000 / DOCUMENTS,
    (cpuMs(pid) - served) / DOCUMENTS,
  ];
}

async function startServer(
  folder: string,
): Promise<{ readonly url: string; readonly pid: number; stop(): void }> {
  const entry = new URL(import.meta.resolve("@kattegat/replication/embedded-s3/main.ts")).pathname;
  const child = spawn(process.execPath, [entry], {
    env: {
      PORT: "0",
      KATTEGAT_DATA: folder,
      KATTEGAT_BUCKETS: "bench-archive",
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /"port":(\d+),"msg":"listening"/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error("the S3 server ended before it listened")));
  });
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => void child.kill("SIGKILL") };
}

function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
}
