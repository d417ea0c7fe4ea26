/** The commands `kattegat ledger checkpoint`, `list`, `prove`, `verify`. */
import { readFileSync, writeFileSync } from "node:fs";
import {
  ledgerCheckpointSchema,
  ledgerSitesSchema,
  type LedgerCheckpoint,
} from "@kattegat/protocol/ledger.ts";
import type { Command } from "commander";
import { z } from "zod";
import type { OperatorClient } from "../client/operator-client.ts";
import { verifyLedger, type LedgerVerdict } from "../ledger/verify-ledger.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import { formatEntries, formatVerdict } from "../output/ledger-text.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { verifyProof } from "../verify-proof.ts";
import { connect, connectPrimary, operatorOptions, type OperatorOptions } from "./connection.ts";

const PAGE = 5_000;

const NOTES = `
The ledger says which copies of which documents were planned, applied, withdrawn and erased, at which site, under which policy.
A proof shows what it records; it does not show where bytes physically are. Keep checkpoints somewhere else: a ledger that was rewritten
does not grow from them.

Examples:
  kattegat ledger checkpoint > monday.note
  kattegat ledger verify --since monday.note
  kattegat ledger list --document gdpr-art-17
  kattegat ledger prove --document gdpr-art-17 --site eu-fra --out proof.json
  node ops/verify-proof.ts proof.json --key "$(kattegat ledger checkpoint --verifier-key)"
`;

interface JsonOptions extends OperatorOptions {
  readonly json?: boolean;
}
interface ProveOptions extends JsonOptions {
  readonly document: string;
  readonly site: string;
  readonly out?: string;
}
interface VerifyOptions extends JsonOptions {
  readonly since: readonly string[];
  readonly key?: string;
}

export function ledgerCommands(program: Command, settings: Settings, terminal: Terminal): void {
  const ledger = program
    .command("ledger")
    .description("Verifies the ledger of copies, proves what it records.")
    .addHelpText("after", NOTES);
  const add = (name: string, description: string): Command =>
    operatorOptions(ledger.command(name).description(description)).option(
      "--json",
      "print the result as JSON",
    );
  const open = (options: OperatorOptions): Promise<OperatorClient> => connectPrimary(settings, options);

  add("checkpoint", "Prints the signed head of the ledger, to be kept elsewhere.")
    .option("--verifier-key", "print the key that its signature is checked with instead")
    .action(async (options: JsonOptions & { readonly verifierKey?: boolean }) => {
      const checkpoint = await readCheckpoint(await open(options));
      if (options.json === true) terminal.print(JSON.stringify(checkpoint, null, 2));
      else terminal.print(options.verifierKey === true ? checkpoint.verifier_key : checkpoint.note.trimEnd());
    });
  add("list", "Lists what the ledger says of a document.")
    .requiredOption("--document <id>", "the document")
    .action(async (options: JsonOptions & { readonly document: string }) => {
      const query = { document: options.document, limit: String(PAGE) };
      const entries = await (await open(options)).lines("/internal/ledger/entries", { query });
      if (entries.length === PAGE) terminal.tell(`these are the first ${PAGE} entries about the document`);
      terminal.print(options.json === true ? `[${entries.join(",\n")}]` : formatEntries(entries));
      if (entries.length === 0) process.exitCode = EXIT.finding;
    });
  add("prove", "Writes a proof of whether a copy of a document is recorded at a site.")
    .requiredOption("--document <id>", "the document")
    .requiredOption("--site <id>", "the site")
    .option("--out <file>", "write the proof there instead of to the standard output")
    .action(async (options: ProveOptions) => {
      const { sites } = await connect(settings, options).network();
      const known = sites.map(({ id }) => id);
      const primary = await open(options);
      const isFormer = !known.includes(options.site);
      if (isFormer) await assertFormer(options, primary, known);
      await prove({ ...options, isFormer }, primary, terminal);
    });
  add("verify", "Reads the whole ledger and compares it with its checkpoints.")
    .option("--since <file>", "a checkpoint that was kept; repeat it for several", collect, [])
    .option("--key <verifier-key>", "the key to trust (default: the one that the primary tells)")
    .action(async (options: VerifyOptions) => verify(options, await open(options), terminal));
}

/**
 * What was recorded of a site that has left the network file stays provable. A misspelt one has no copy of anything, which would read
 * like a finding.
 */
async function assertFormer(
  { document, site }: ProveOptions,
  primary: OperatorClient,
  known: readonly string[],
): Promise<void> {
  const question = { query: { document } };
  const { sites: recorded } = await primary.json(ledgerSitesSchema, "/internal/ledger/sites", question);
  if (recorded.includes(site)) return;
  const former = recorded.filter((each) => !known.includes(each));
  throw new UsageError(
    `There is no site ${site}: the network file does not name it, and in the ledger it confirmed nothing and stands in no entry about ${document}. Expected one of ${known.join(", ")}${former.length === 0 ? "" : `, or one of the former sites ${former.join(", ")}`}.`,
  );
}

async function prove(
  options: ProveOptions & { readonly isFormer: boolean },
  primary: OperatorClient,
  terminal: Terminal,
): Promise<void> {
  const { document, site, isFormer } = options;
  const checkpoint = await readCheckpoint(primary);
  const proof = await primary.json(z.looseObject({}), "/internal/ledger/proof", { query: { document } });
  const verified = [true, false].flatMap((recorded) => {
    const file = { ...proof, statement: { document, site, recorded } };
    try {
      return [{ file, verified: verifyProof(file, checkpoint.verifier_key) }];
    } catch {
      return [];
    }
  })[0];
  if (verified === undefined)
    throw new Error("The primary's proof verifies neither that the copy is recorded nor that it is not.");
  const text = JSON.stringify(verified.file, null, 2);
  if (options.out === undefined) {
    terminal.print(text);
    return;
  }
  writeFileSync(options.out, `${text}\n`);
  const { recorded, copy, size } = verified.verified;
  const result = {
    file: options.out,
    document,
    site,
    former_site: isFormer,
    recorded,
    copy,
    size,
    verifier_key: checkpoint.verifier_key,
  };
  terminal.print(
    options.json === true
      ? JSON.stringify(result, null, 2)
      : `${options.out}: the ledger of ${size} entries records ${recorded ? `a copy (${copy?.["applied"] === null ? "planned" : "applied"})` : "no copy"} of ${document} at ${site}${isFormer ? ", which has left the network file" : ""}\nverify it with: node ops/verify-proof.ts ${options.out} --key ${checkpoint.verifier_key}`,
  );
}

async function verify(options: VerifyOptions, primary: OperatorClient, terminal: Terminal): Promise<void> {
  const earlier = options.since.map((file) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      throw new UsageError(`Cannot read the checkpoint ${file}.`);
    }
  });
  const checkpoint = await readCheckpoint(primary);
  if (options.key === undefined)
    terminal.tell(`checked with the key that the primary tells: ${checkpoint.verifier_key}`);
  const verdict: LedgerVerdict = await verifyLedger(entriesOf(primary), {
    verifierKey: options.key ?? checkpoint.verifier_key,
    checkpoint: checkpoint.note,
    chain: checkpoint.chain,
    earlier,
    progress: (done, size) =>
      terminal.tell(`${done.toLocaleString("en")} of ${size.toLocaleString("en")} entries`),
  });
  terminal.print(
    options.json === true ? JSON.stringify(verdict, null, 2) : formatVerdict(verdict, terminal.paint),
  );
  if (verdict.findings.length > 0) process.exitCode = EXIT.finding;
}

async function readCheckpoint(primary: OperatorClient): Promise<LedgerCheckpoint> {
  return await primary.json(ledgerCheckpointSchema, "/internal/ledger/checkpoint");
}

async function* entriesOf(primary: OperatorClient): AsyncGenerator<string> {
  for (let from = 0; ;) {
    const query = { from: String(from), limit: String(PAGE) };
    const lines = await primary.lines("/internal/ledger/entries", { query });
    if (lines.length === 0) return;
    yield* lines;
    from += lines.length;
  }
}

function collect(file: string, before: readonly string[]): readonly string[] {
  return [...before, file];
}
