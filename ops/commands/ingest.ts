/** The command `kattegat ingest`. */
import { createHash } from "node:crypto";
import { existsSync, openSync, readFileSync, statSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { openCheckpoint } from "../ingest/checkpoint.ts";
import { isTextFile, openFolder, openTextFile } from "../ingest/folder-source.ts";
import { parseMapping } from "../ingest/mapping.ts";
import { openNdjsonFile, openNdjsonStream } from "../ingest/ndjson-source.ts";
import { createProgress } from "../ingest/progress.ts";
import type { Source } from "../ingest/record.ts";
import { runIngest, type IngestSummary } from "../ingest/run.ts";
import { dataFolder } from "../local/folder.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import { visible } from "../output/visible.ts";
import type { Settings } from "../settings.ts";
import { connect, connectionOptions, wholeNumber, type ConnectionOptions } from "./connection.ts";

interface IngestCommandOptions extends ConnectionOptions {
  readonly mapping?: string;
  readonly residency?: string;
  readonly lang?: string;
  readonly collection?: string;
  readonly importance?: number;
  readonly limit?: number;
  readonly limitPassages?: number;
  readonly errors?: string;
  readonly restart?: boolean;
  readonly json?: boolean;
}

const NOTES = `
The source is a file of NDJSON (also .gz and .zst), a folder of .txt, .md and .html files, one such file, or - for NDJSON
on the standard input. A run that was stopped continues where it was when the same command is given again.

Exit code 1 when lines were refused or the run was stopped, 3 when the network refused or could not be reached.

Examples:
  kattegat ingest documents.ndjson
  kattegat ingest laws.ndjson.zst --mapping ops/mappings/danish-law.yaml --limit-passages 100000
  kattegat ingest contracts/ --residency eu --lang en --errors refused.ndjson
  gunzip -c dump.gz | kattegat ingest - --residency global
`;

/** A stop through `signal` lets what is on its way arrive, then prints the summary. */
export function ingestCommand(
  program: Command,
  settings: Settings,
  terminal: Terminal,
  signal: AbortSignal,
): void {
  const command = program
    .command("ingest")
    .description("Puts documents into the network.")
    .argument("<source>", "a file, a folder, or -")
    .option("--mapping <file>", "how to make documents of other records (docs/ingest.md)")
    .option("--residency <class>", "the class of documents that name none")
    .option("--lang <tag>", "the language of documents that name none, such as da")
    .option("--collection <name>", "the collection of documents that name none")
    .option("--importance <number>", "the importance of documents that name none, 0 to 1", importanceOf)
    .option(
      "--limit <n>",
      "stop after so many documents",
      wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    .option(
      "--limit-passages <n>",
      "stop after the document that reaches so many passages",
      wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    .option("--errors <file>", "write every refused line there, as NDJSON; a run that continues adds to it")
    .option("--restart", "begin at the first line, whatever an earlier run did")
    .option("--json", "print the summary as JSON")
    .addHelpText("after", NOTES);
  connectionOptions(command).action((path: string, options: IngestCommandOptions) =>
    ingest(path, options, { settings, terminal, signal }),
  );
}

interface Surroundings {
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function ingest(
  path: string,
  options: IngestCommandOptions,
  { settings, terminal, signal }: Surroundings,
): Promise<void> {
  const mappingText = options.mapping === undefined ? null : readText(options.mapping);
  const mapping = mappingText === null ? null : parseMapping(mappingText, { file: options.mapping ?? "" });
  const client = connect(settings, options);
  signal.addEventListener("abort", () => terminal.tell("stopping; interrupt again to end at once"), {
    once: true,
  });
  const source = await openSource(path, signal);
  const defaults = defaultsOf(options);
  const nowMs = (): number => performance.now();
  const parts = [source.digest, mappingText, defaults, client.url];
  const checkpoint = openCheckpoint({
    folder: dataFolder(settings.data).ingest,
    digest: source.digest === null ? null : createHash("sha256").update(JSON.stringify(parts)).digest("hex"),
    source: source.name,
    url: client.url,
    restart: options.restart === true,
  });
  if (checkpoint.resumedAfter > 0)
    terminal.tell(`continues after line ${checkpoint.resumedAfter} of ${source.name}; --restart begins anew`);
  const summary = await runIngest({
    source,
    mapping,
    defaults,
    documentsMax: options.limit ?? Number.POSITIVE_INFINITY,
    passagesMax: options.limitPassages ?? Number.POSITIVE_INFINITY,
    errorsFile: options.errors === undefined ? null : openErrors(options.errors, checkpoint.resumedAfter),
    client,
    checkpoint,
    progress: createProgress(terminal, { nowMs }),
    signal,
    nowMs,
  });
  terminal.print(
    options.json === true ? JSON.stringify(summary, null, 2) : formatSummary(summary, options.errors),
  );
  if (summary.refused > 0 || !summary.complete) process.exitCode = EXIT.finding;
}

/** The summary for a person; what a line holds may be anything, a binary file's bytes too. */
export function formatSummary(summary: IngestSummary, errors: string | undefined): string {
  const number = (value: number): string => value.toLocaleString("en");
  const seconds = (summary.took_ms / 1_000).toFixed(1);
  const more = summary.refused - summary.refused_lines.length;
  return [
    `${number(summary.documents)} documents with ${number(summary.passages)} passages in ${seconds} s (${number(summary.documents_per_second)} documents/s, ${number(summary.passages_per_second)} passages/s)`,
    ...(summary.complete ? [] : ["stopped; the same command continues"]),
    ...(summary.refused === 0 ? [] : [`${number(summary.refused)} refused:`]),
    ...summary.refused_lines.map(
      ({ line, id, code, detail }) =>
        `  line ${line}${id === null ? "" : ` (${visible(id)})`}: ${code}: ${visible(detail)}`,
    ),
    ...(more > 0
      ? [`  and ${number(more)} more${errors === undefined ? "; --errors FILE writes all" : ` in ${errors}`}`]
      : []),
  ].join("\n");
}

async function openSource(path: string, signal: AbortSignal): Promise<Source> {
  if (path === "-") {
    // Whoever writes into it may never end, nor write another line.
    signal.addEventListener("abort", () => process.stdin.destroy(), { once: true });
    return openNdjsonStream(process.stdin);
  }
  if (!existsSync(path)) throw new UsageError(`There is no file or folder ${path}.`);
  if (statSync(path).isDirectory()) return openFolder(path);
  return isTextFile(path) ? openTextFile(path) : openNdjsonFile(path);
}

/** What an earlier run was refused is still refused when this one continues it. */
function openErrors(path: string, resumedAfter: number): number {
  try {
    return openSync(path, resumedAfter > 0 ? "a" : "w");
  } catch (cause) {
    throw new UsageError(
      `The file ${path} cannot be written: ${cause instanceof Error ? cause.message : ""}`,
    );
  }
}

function readText(path: string): string {
  if (!existsSync(path)) throw new UsageError(`There is no file ${path}.`);
  return readFileSync(path, "utf8");
}

function defaultsOf({
  residency,
  lang,
  collection,
  importance,
}: IngestCommandOptions): Readonly<Record<string, string | number>> {
  return {
    ...(residency === undefined ? {} : { residency }),
    ...(lang === undefined ? {} : { lang }),
    ...(collection === undefined ? {} : { collection }),
    ...(importance === undefined ? {} : { importance }),
  };
}

function importanceOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("Expected a number from 0 to 1.");
  return value;
}
