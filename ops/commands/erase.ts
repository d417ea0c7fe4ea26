/** The command `kattegat erase`. */
import { appendFileSync, existsSync } from "node:fs";
import { filterSchema, type Filter } from "@kattegat/protocol/filter.ts";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { InvalidArgumentError, type Command } from "commander";
import {
  awaitReceipts,
  eraseDocuments,
  type ChangedDocument,
  type Doomed,
  type ErasedDocument,
} from "../erase/erase-documents.ts";
import { findDoomed, type FoundDocument } from "../erase/find-doomed.ts";
import { formatErasure, formatPlanned, outcomesOf, type Erasure } from "../output/erase-text.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { connect, connectPrimary, operatorOptions, wholeNumber, type OperatorOptions } from "./connection.ts";

interface EraseOptions extends OperatorOptions {
  readonly filter?: Filter;
  readonly collection?: string;
  readonly listed?: string;
  readonly ifVersion?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly receipts?: string;
  readonly wait?: number;
  readonly json?: boolean;
}

const NOTES = `
Erases the documents named, or every document that the filter means: with the grammar of a search's filter, over all tiers and classes, whether or
not a site answers. Without --yes nothing is erased. A receipt says for each site when it had hidden the document, when nothing of it was left on
its disks, and by what means; keep --receipts FILE as a record. Hidden it is within seconds; to be rid of it a site rewrites files, which takes minutes,
at an edge whose base held it hours (docs/erasure.md).

A document that is named is erased in whichever version it has, unless --if-version says in which. One that a filter found is erased in the version
that was found alone. --listed erases what a dry run listed, in the versions that it listed, and looks for no other. A document that is of another
version by then is told, and stays.

A document that is gone when an erasure without an answer is tried again may have been erased by that: where its receipt is nobody knows, and that
is told (receipts_lost in the JSON). kattegat ledger list --document says when each site was rid of it.

Exit code 1 when no document is meant, when one was of another version, when the address of a receipt was lost, or when a receipt is not complete
after --wait seconds.

Examples:
  kattegat erase case-1987-44 --yes
  kattegat erase --filter '{"must":[{"key":"metadata.party","match":{"value":"Jensen"}}]}' --dry-run --json > jensen.json
  kattegat erase --listed jensen.json --yes --receipts jensen.ndjson --wait 100000
`;

export function eraseCommand(program: Command, settings: Settings, terminal: Terminal): void {
  const command = program
    .command("erase")
    .description("Erases documents at every site, with a receipt for each.")
    .argument("[ids...]", "documents")
    .option("--filter <json>", "every document that this filter means", filterOf)
    .option("--collection <name>", "of this collection alone")
    .option("--listed <file>", "the documents that a --dry-run with --json listed, in those versions")
    .option("--if-version <version>", "the document only while it has this version", versionOf)
    .option("--dry-run", "say what would be erased, erase nothing")
    .option("--yes", "erase; without it nothing is")
    .option("--receipts <file>", "write a line of JSON for each receipt there")
    .option("--wait <seconds>", "wait so long for the receipts", wholeNumber({ min: 1, max: 86_400 }))
    .option("--json", "print the result as JSON")
    .addHelpText("after", NOTES);
  operatorOptions(command).action(async (ids: readonly string[], options: EraseOptions) => {
    const found = await findDoomed(
      { ids, ...options },
      {
        primary: () => connectPrimary(settings, options),
        progress: (text) => terminal.tell(text),
      },
    );
    const isErasing = options.yes === true && options.dryRun !== true;
    if (found.length === 0 || !isErasing) {
      terminal.print(
        options.json === true ? JSON.stringify(plannedOf(found), null, 2) : formatPlanned(found),
      );
      if (found.length === 0) process.exitCode = EXIT.finding;
      else if (options.dryRun !== true)
        throw new UsageError("Nothing was erased. Say --yes to erase, or --dry-run to only look.");
      return;
    }
    await erase(found, options, { settings, terminal });
  });
}

interface Surroundings {
  readonly settings: Settings;
  readonly terminal: Terminal;
}

async function erase(
  found: readonly Doomed[],
  options: EraseOptions,
  { settings, terminal }: Surroundings,
): Promise<void> {
  const client = connect(settings, options);
  const erased: ErasedDocument[] = [];
  const changed: ChangedDocument[] = [];
  if (options.receipts !== undefined && existsSync(options.receipts))
    throw new UsageError(`There is ${options.receipts} already; receipts are kept in a file of their own.`);
  await eraseDocuments(found, {
    client,
    erased(document) {
      erased.push(document);
      if (options.receipts !== undefined) appendFileSync(options.receipts, `${JSON.stringify(document)}\n`);
      if (erased.length % 1_000 === 0) terminal.tell(`${erased.length} of ${found.length} erased`);
    },
    changed: (document) => changed.push(document),
  }).catch((error: unknown) => {
    const before = formatErasure({ erased, changed, unfinished: null });
    terminal.tell(`stopped after ${erased.length + changed.length} of ${found.length}:\n${before}`);
    throw error;
  });
  const { receipts, lost } = outcomesOf(erased);
  const unfinished =
    options.wait === undefined
      ? null
      : await awaitReceipts(receipts, {
          client,
          timeoutMs: options.wait * 1_000,
          progress: ({ hidden, complete }) =>
            terminal.tell(`${complete} of ${receipts.length} receipts complete, ${hidden} hidden everywhere`),
        });
  const erasure = { erased, changed, unfinished };
  terminal.print(options.json === true ? JSON.stringify(resultOf(erasure), null, 2) : formatErasure(erasure));
  if (changed.length > 0 || lost.length > 0 || (unfinished !== null && unfinished.length > 0))
    process.exitCode = EXIT.finding;
}

function plannedOf(found: readonly FoundDocument[]) {
  return { erased: 0, would_erase: found.length, documents: found };
}

function resultOf({ erased, changed, unfinished }: Erasure) {
  const { receipts, gone, lost } = outcomesOf(erased);
  return {
    erased: receipts.length,
    gone_before: gone.length,
    receipts_lost: lost.length,
    changed,
    receipts: erased,
    unfinished,
  };
}

function versionOf(text: string): string {
  const version = text.replace(/^"(.*)"$/, "$1");
  if (sequenceSchema.safeParse(version).success) return version;
  throw new InvalidArgumentError("Expected a version as GET shows it, such as 204.");
}

function filterOf(text: string): Filter {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError("Expected a filter as JSON.");
  }
  const parsed = filterSchema.safeParse(value);
  if (parsed.success) {
    // An empty filter means everything, which nobody writes by chance but an empty variable.
    if (Object.keys(parsed.data).length === 0)
      throw new InvalidArgumentError("Expected a filter with a condition; this one means every document.");
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  throw new InvalidArgumentError(`Expected a filter: ${issue?.path.join("/") ?? ""} ${issue?.message ?? ""}`);
}
