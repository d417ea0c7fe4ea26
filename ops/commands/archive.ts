/** The commands of `kattegat archive`. */
import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import type { Network, Site } from "@kattegat/config/network.ts";
import type { RecordOpener } from "@kattegat/primary-dk/sealing/sealed-record.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import type { Command } from "commander";
import { exportArchive, type ExportSummary } from "../archive/export-archive.ts";
import { readNetwork } from "../configured-network.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import { archiveVariable, type Settings } from "../settings.ts";
import { archiveOpener, openerOptions, type OpenerOptions } from "./archive-opener.ts";
import { archiveBuckets } from "./connection.ts";

const NOTES = `
Opens every object of the archive with the primary's keyring and root key, and writes the documents in clear, one a line, as
kattegat ingest takes them. It asks the bucket alone: neither the primary nor its database has to be there. The file is readable for
its owner alone; it may rest only where each of its documents may.

The bucket's server is that of the local network, or the one that ARCHIVE_URL_<SITE> names, with AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_REGION.

Objects whose keys were destroyed, because their documents were erased, are counted and left out; the list of erasures beside the
keyring says so. Exit code 1 when an object is damaged, or its key is not there and no erasure says why: the keyring is older than
the archive, or another's; 3 when the bucket did not answer.

Examples:
  kattegat archive export --out documents.ndjson
  kattegat archive export --out documents.ndjson --keyring /mnt/keys/keyring --root-key /run/secrets/root.key
  kattegat archive export --out documents.ndjson && kattegat ingest documents.ndjson
`;

const PROGRESS_MS = 2_000;
/** Documents in clear. */
const OWNER_ONLY = 0o600;

interface ArchiveOptions extends OpenerOptions {
  readonly out: string;
  readonly site?: string;
  readonly json?: boolean;
}

export function archiveCommands(program: Command, settings: Settings, terminal: Terminal): void {
  const command = program
    .command("archive")
    .description("Reads the archive.")
    .command("export")
    .description("Writes every document of an archive as NDJSON that ingest takes.")
    .requiredOption("--out <file>", "the file to write")
    .option("--site <id>", "the archive (default: the only one that runs)");
  openerOptions(command)
    .option("--json", "print the summary as JSON")
    .addHelpText("after", NOTES)
    .action(async (options: ArchiveOptions) => {
      const { network } = readNetwork(settings);
      const site = archiveIn(network, options.site);
      const opener = archiveOpener(network, settings, options);
      const bucket = bucketOf(site, settings);
      const startedMs = performance.now();
      const summary = await exportTo(options.out, { bucket, opener, terminal });
      const tookMs = Math.round(performance.now() - startedMs);
      const result = { site: site.id, bucket: bucket.name, out: options.out, ...summary, took_ms: tookMs };
      terminal.print(options.json === true ? JSON.stringify(result, null, 2) : formatExport(result));
      if (summary.damaged > 0) process.exitCode = EXIT.finding;
    });
}

interface ExportTools {
  readonly bucket: Bucket;
  readonly opener: RecordOpener;
  readonly terminal: Terminal;
}

async function exportTo(out: string, { bucket, opener, terminal }: ExportTools): Promise<ExportSummary> {
  // An export that breaks off leaves no file that looks whole.
  const draft = `${out}.part`;
  const file = (await newFile(draft)).createWriteStream();
  try {
    const summary = await writeTo(file, out, { bucket, opener, terminal });
    await rename(draft, out);
    return summary;
  } catch (error) {
    file.destroy();
    await rm(draft, { force: true });
    throw error;
  }
}

/** What an export before has left there has its own mode, or leads elsewhere. */
async function newFile(path: string): Promise<FileHandle> {
  try {
    await rm(path, { force: true });
    return await open(path, "wx", OWNER_ONLY);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`The file ${path} cannot be written: ${reason}`, { cause });
  }
}

async function writeTo(
  file: WriteStream,
  out: string,
  { bucket, opener, terminal }: ExportTools,
): Promise<ExportSummary> {
  const failed = new AbortController();
  file.once("error", (cause) =>
    failed.abort(new UsageError(`The file ${out} cannot be written: ${cause.message}`)),
  );
  let toldMs = performance.now();
  const { signal } = failed;
  const summary = await exportArchive({
    bucket,
    opener,
    signal,
    async write(record) {
      signal.throwIfAborted();
      if (!file.write(`${JSON.stringify(record)}\n`)) await once(file, "drain", { signal });
    },
    progress(documents) {
      if (performance.now() - toldMs < PROGRESS_MS) return;
      toldMs = performance.now();
      terminal.tell(`${documents.toLocaleString("en")} documents`);
    },
  }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error;
  });
  file.end();
  await once(file, "close", { signal }).catch(() => signal.throwIfAborted());
  return summary;
}

function archiveIn(network: Network, id: string | undefined): Site {
  const archives = network.sites.filter(({ kind, running }) => kind === "archive" && running);
  const wanted = id === undefined ? archives : archives.filter((site) => site.id === id);
  const [site] = wanted;
  if (site !== undefined && wanted.length === 1) return site;
  const known = archives.map((each) => each.id).join(", ") || "none";
  throw new UsageError(
    id === undefined
      ? `Expected --site with one of the archives that run: ${known}.`
      : `There is no running archive ${id}; expected one of: ${known}.`,
  );
}

function bucketOf(site: Site, settings: Settings): Bucket {
  const bucket = archiveBuckets(settings)(site);
  if (bucket !== null) return bucket;
  throw new UsageError(
    `The S3 server of ${site.id} is not known. Start the network, or name it in ${archiveVariable(site.id)}.`,
  );
}

interface ExportResult extends ExportSummary {
  readonly site: string;
  readonly bucket: string;
  readonly out: string;
  readonly took_ms: number;
}

function formatExport({
  site,
  out,
  documents,
  destroyed,
  damaged,
  damaged_keys: keys,
  took_ms,
}: ExportResult): string {
  const number = (value: number): string => value.toLocaleString("en");
  return [
    `${number(documents)} documents of ${site} in ${out}, ${(took_ms / 1_000).toFixed(1)} s`,
    ...(destroyed === 0
      ? []
      : [`${number(destroyed)} left out: their keys were destroyed when the documents were erased`]),
    ...(damaged === 0 ? [] : [`${number(damaged)} damaged, or sealed by another or a later keyring:`]),
    ...keys.map((key) => `  ${key}`),
    ...(damaged > keys.length ? [`  and ${number(damaged - keys.length)} more`] : []),
  ].join("\n");
}
