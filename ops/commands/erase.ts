/** The command `kattegat erase`. */
import { appendFileSync, existsSync } from "node:fs";
import { documentIdSchema, type Receipt } from "@kattegat/protocol/documents.ts";
import { filterSchema, type Filter } from "@kattegat/protocol/filter.ts";
import { selectionPageSchema, type SelectionPage } from "@kattegat/protocol/selection.ts";
import { InvalidArgumentError, type Command } from "commander";
import { awaitReceipts, eraseDocuments, type ErasedDocument } from "../erase/erase-documents.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import { table } from "../output/table.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { connect, connectPrimary, operatorOptions, wholeNumber, type OperatorOptions } from "./connection.ts";

interface EraseOptions extends OperatorOptions {
  readonly filter?: Filter;
  readonly collection?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly receipts?: string;
  readonly wait?: number;
  readonly json?: boolean;
}

type Found = SelectionPage["documents"][number];

/** Ids that a dry run names. */
const SHOWN_MAX = 10;

const NOTES = `
Erases the documents named, or every document that the filter means: with the grammar of a search's filter, over all tiers and classes, whether or
not a site answers. Without --yes nothing is erased. A receipt says for each site when it had hidden the document, when nothing of it was left on
its disks, and by what means; keep --receipts FILE as a record. Hidden it is within seconds; to be rid of it a site rewrites files, which takes minutes,
at an edge whose base held it hours (docs/erasure.md).

Exit code 1 when no document is meant, or when a receipt is not complete after --wait seconds.

Examples:
  kattegat erase case-1987-44 --yes
  kattegat erase --filter '{"must":[{"key":"metadata.party","match":{"value":"Jensen"}}]}' --dry-run
  kattegat erase --filter '{"must":[{"key":"metadata.party","match":{"value":"Jensen"}}]}' --yes --receipts jensen.ndjson --wait 100000
`;

export function eraseCommand(program: Command, settings: Settings, terminal: Terminal): void {
  const command = program
    .command("erase")
    .description("Erases documents at every site, with a receipt for each.")
    .argument("[ids...]", "documents")
    .option("--filter <json>", "every document that this filter means", filterOf)
    .option("--collection <name>", "of this collection alone")
    .option("--dry-run", "say what would be erased, erase nothing")
    .option("--yes", "erase; without it nothing is")
    .option("--receipts <file>", "write a line of JSON for each receipt there")
    .option("--wait <seconds>", "wait so long for the receipts", wholeNumber({ min: 1, max: 86_400 }))
    .option("--json", "print the result as JSON")
    .addHelpText("after", NOTES);
  operatorOptions(command).action(async (ids: readonly string[], options: EraseOptions) => {
    const found = await findDocuments(ids, options, { settings, terminal });
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

/** A document that is named is not looked for: it may be of a class that this operator may not read. */
async function findDocuments(
  ids: readonly string[],
  { filter, collection, ...options }: EraseOptions,
  { settings, terminal }: Surroundings,
): Promise<readonly (Pick<Found, "id"> & Partial<Found>)[]> {
  if (ids.length > 0 === (filter !== undefined))
    throw new UsageError("Expected either ids of documents or --filter.");
  if (filter === undefined && collection !== undefined)
    throw new UsageError("--collection goes with --filter; ids name documents of every collection.");
  if (filter === undefined) {
    for (const id of ids)
      if (!documentIdSchema.safeParse(id).success)
        throw new UsageError(`Expected ids of 1 to 256 of A–Z a–z 0–9 . _ ~ -, got ${JSON.stringify(id)}.`);
    return [...new Set(ids)].map((id) => ({ id }));
  }
  const primary = await connectPrimary(settings, options);
  const found: Found[] = [];
  let scanned = 0;
  for (let after: string | null = ""; after !== null;) {
    const answer = await primary.post("/internal/documents:select", {
      filter,
      collection: collection ?? null,
      after,
    });
    const page: SelectionPage = selectionPageSchema.parse(await answer.json());
    found.push(...page.documents);
    scanned += page.scanned;
    ({ after } = page);
    if (after !== null)
      terminal.tell(`${scanned.toLocaleString("en")} documents looked at, ${found.length} found`);
  }
  return found;
}

async function erase(
  found: readonly Pick<Found, "id">[],
  options: EraseOptions,
  { settings, terminal }: Surroundings,
): Promise<void> {
  const client = connect(settings, options);
  const erased: ErasedDocument[] = [];
  if (options.receipts !== undefined && existsSync(options.receipts))
    throw new UsageError(`There is ${options.receipts} already; receipts are kept in a file of their own.`);
  await eraseDocuments(
    found.map(({ id }) => id),
    {
      client,
      erased(document) {
        erased.push(document);
        if (options.receipts !== undefined) appendFileSync(options.receipts, `${JSON.stringify(document)}\n`);
        if (erased.length % 1_000 === 0) terminal.tell(`${erased.length} of ${found.length} erased`);
      },
    },
  ).catch((error: unknown) => {
    terminal.tell(`stopped after ${erased.length} of ${found.length}:\n${formatErased(erased, null)}`);
    throw error;
  });
  const receipts = erased.flatMap(({ receipt }) => (receipt === null ? [] : [receipt]));
  const unfinished =
    options.wait === undefined
      ? null
      : await awaitReceipts(receipts, {
          client,
          timeoutMs: options.wait * 1_000,
          progress: ({ hidden, complete }) =>
            terminal.tell(`${complete} of ${receipts.length} receipts complete, ${hidden} hidden everywhere`),
        });
  terminal.print(
    options.json === true
      ? JSON.stringify(
          {
            erased: receipts.length,
            gone_before: erased.length - receipts.length,
            receipts: erased,
            unfinished,
          },
          null,
          2,
        )
      : formatErased(erased, unfinished),
  );
  if (unfinished !== null && unfinished.length > 0) process.exitCode = EXIT.finding;
}

function plannedOf(found: readonly (Pick<Found, "id"> & Partial<Found>)[]) {
  return { erased: 0, would_erase: found.length, documents: found };
}

function formatPlanned(found: readonly (Pick<Found, "id"> & Partial<Found>)[]): string {
  if (found.length === 0) return "No document is meant.";
  const groups = new Map<string, number>();
  for (const { residency = "", tier = "", collection = "" } of found) {
    const name = [residency, tier, collection].join("\t");
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  const isKnown = found.some(({ residency }) => residency !== undefined);
  const rows = [...groups].map(([name, count]) => [...name.split("\t"), String(count)]);
  const shown = found.slice(0, SHOWN_MAX).map(({ id }) => `  ${id}`);
  return [
    `${found.length} documents would be erased:`,
    ...shown,
    ...(found.length > SHOWN_MAX ? [`  … and ${found.length - SHOWN_MAX} more`] : []),
    ...(isKnown
      ? ["", ...table([["class", "tier", "collection", "documents"], ...rows], { right: [3] })]
      : []),
  ].join("\n");
}

function formatErased(erased: readonly ErasedDocument[], unfinished: readonly Receipt[] | null): string {
  const gone = erased.filter(({ receipt }) => receipt === null).length;
  const states = (unfinished ?? [])
    .flatMap(({ sites }) => sites.map(stateOf))
    .filter((state) => state !== null);
  const counts = [...new Set(states)].map(
    (state) => `  ${state} (${states.filter((other) => other === state).length})`,
  );
  return [
    `${erased.length - gone} documents erased${gone === 0 ? "" : `, ${gone} were gone before`}`,
    ...(unfinished === null
      ? erased.slice(0, SHOWN_MAX).map(({ id, receipt }) => `  ${id}  ${receipt ?? "was gone before"}`)
      : unfinished.length === 0
        ? ["removed from the disks of every site"]
        : counts.toSorted()),
  ].join("\n");
}

/** Null when the site is rid of the document. */
function stateOf({ site, confirmed_at, removed_at }: Receipt["sites"][number]): string | null {
  if (removed_at !== null) return null;
  return `${site} has ${confirmed_at === null ? "not confirmed" : "hidden it, not removed"}`;
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
