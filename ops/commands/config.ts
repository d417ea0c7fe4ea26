/** The commands of `kattegat config`. */
import { todayUtc } from "@kattegat/config/day.ts";
import { checkNetwork } from "@kattegat/config/check.ts";
import { explainCaller, explainDocument, type ExplainedDocument } from "@kattegat/config/explain.ts";
import { findingOfProblem, type Finding } from "@kattegat/config/finding.ts";
import { TIER_NAMES, type Network, type TierName } from "@kattegat/config/network.ts";
import { NetworkFileError } from "@kattegat/config/yaml-text.ts";
import type { Document } from "@kattegat/protocol/documents.ts";
import { InvalidArgumentError, Option, type Command } from "commander";
import { readNetwork } from "../configured-network.ts";
import { formatCaller, formatDocument, formatFindings } from "../output/config-text.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { configDiffCommand } from "./config-diff.ts";
import { workerFiles } from "./worker-files.ts";
import { connect, connectionOptions, type ConnectionOptions } from "./connection.ts";

interface ExplainOptions extends ConnectionOptions {
  readonly document?: string;
  readonly residency?: string;
  readonly tier?: TierName;
  readonly caller?: string;
  readonly file?: string;
  readonly json?: boolean;
}

const CHECK_NOTES = `
Exit code 1 when there is an error or a warning.

Examples:
  kattegat config check
  kattegat config check drafts/network.yaml --json
`;

const EXPLAIN_NOTES = `
Examples:
  kattegat config explain --document udhr-dan
  kattegat config explain --residency eu --tier cold
  kattegat config explain --caller US
`;

export function configCommands(program: Command, settings: Settings, terminal: Terminal): void {
  const config = program.command("config").description("Works on the network file.");
  config
    .command("check")
    .description("Finds every problem of a network file and says what to write.")
    .argument("[file]", `the file (default: ${settings.configShown})`)
    .option("--json", "print the findings as JSON")
    .addHelpText("after", CHECK_NOTES)
    .action((file: string | undefined, options: { readonly json?: boolean }) => {
      const { findings, shown } = findingsOf(settings, file, { asFindings: options.json === true });
      terminal.print(
        options.json === true
          ? JSON.stringify({ file: shown, findings }, null, 2)
          : formatFindings(findings, { file: shown, paint: terminal.paint }),
      );
      if (findings.some(({ severity }) => severity !== "note")) process.exitCode = EXIT.finding;
    });
  configDiffCommand(config, settings, terminal);
  const explain = config
    .command("explain")
    .description("Says why a copy may, or may not, be at each site, or what a caller is served.")
    .option("--document <id>", "a document of the running network")
    .option("--residency <class>", "a residency class; needs --tier")
    .addOption(new Option("--tier <tier>", "a tier; needs --residency").choices([...TIER_NAMES]))
    .option("--caller <country>", "a caller's country, such as US", countryOf)
    .option("--file <path>", `the network file (default: ${settings.configShown})`)
    .option("--json", "print the explanation as JSON")
    .addHelpText("after", EXPLAIN_NOTES);
  connectionOptions(explain).action(async (options: ExplainOptions) => {
    const { network } = readNetwork(settings, options.file);
    if (options.caller !== undefined) {
      const explanations = explainCaller(network, { country: options.caller, today: todayUtc() });
      terminal.print(
        options.json === true
          ? JSON.stringify(explanations, null, 2)
          : formatCaller(options.caller, explanations, terminal.paint),
      );
      return;
    }
    const explanation = explainDocument(network, {
      ...(options.document === undefined
        ? classAndTier(network, options)
        : placeDeciding(await connect(settings, options).document(options.document))),
      today: todayUtc(),
    });
    terminal.print(
      options.json === true
        ? JSON.stringify(explanation, null, 2)
        : formatDocument(explanation, terminal.paint),
    );
  });
}

/** A file that cannot be read as a network has findings too; for a person its own message says them better. */
function findingsOf(
  settings: Settings,
  file: string | undefined,
  { asFindings }: { readonly asFindings: boolean },
): { readonly findings: readonly Finding[]; readonly shown: string } {
  const shown = file ?? settings.configShown;
  try {
    const { network } = readNetwork(settings, file);
    return {
      findings: checkNetwork(network, { today: todayUtc(), file: shown, workers: workerFiles() }),
      shown,
    };
  } catch (error) {
    if (!asFindings || !(error instanceof NetworkFileError)) throw error;
    return { findings: error.problems.map((problem) => findingOfProblem(problem, { file: shown })), shown };
  }
}

/** What the network file decides by, of all that a document is. */
function placeDeciding(document: Document): ExplainedDocument {
  const { residency, tier, collection, created_at, published_at } = document;
  return { residency, tier, collection, dates: { created_at, published_at } };
}

function classAndTier(
  { classes }: Network,
  { residency, tier }: ExplainOptions,
): {
  readonly residency: string;
  readonly tier: TierName;
} {
  if (residency === undefined || tier === undefined)
    throw new UsageError(
      "Expected --document ID, or --residency CLASS with --tier TIER, or --caller COUNTRY.",
    );
  if (!Object.hasOwn(classes, residency))
    throw new UsageError(
      `Expected one of the residency classes ${Object.keys(classes).join(", ")}; ${residency} is none.`,
    );
  return { residency, tier };
}

function countryOf(text: string): string {
  if (!/^[A-Za-z]{2}$|^T1$/.test(text))
    throw new InvalidArgumentError("Expected a country code of two letters, such as DK.");
  return text.toUpperCase();
}
