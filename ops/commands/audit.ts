/** The command `kattegat residency audit`. */
import { writeFileSync } from "node:fs";
import type { Network } from "@kattegat/config/network.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import type { Command } from "commander";
import type { Authenticator } from "../audit/archive-reading.ts";
import { isClean } from "../audit/report.ts";
import { residencyAudit } from "../audit/residency-audit.ts";
import { readNetwork } from "../configured-network.ts";
import { auditPage } from "../output/audit-page.ts";
import { formatAudit } from "../output/audit-text.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { archiveOpener, openerOptions, type OpenerOptions } from "./archive-opener.ts";
import { connectSites, operatorOptions, type OperatorOptions } from "./connection.ts";

const NOTES = `
Asks Postgres, the primary's index, every Qdrant and every bucket, an archive's too, what they hold, and compares that with the network
file, the primary's record and the ledger. --read-archive opens each object of an archive, too, with the primary's keyring and root key: it
finds those that were altered under their right names, and reads the whole bucket for it. Exit code 1 with findings, or when a site does not answer.

Examples:
  kattegat residency audit
  kattegat residency audit --html audit.html --json > audit.json
  kattegat residency audit --site eu-fra --repair
  kattegat residency audit --read-archive
`;

interface AuditCommandOptions extends OperatorOptions, OpenerOptions {
  readonly repair?: boolean;
  readonly json?: boolean;
  readonly html?: string;
  readonly site?: string;
  readonly readArchive?: boolean;
}

export function auditCommand(residency: Command, settings: Settings, terminal: Terminal): void {
  openerOptions(
    operatorOptions(
      residency
        .command("audit")
        .description("Compares what every store holds with what it may and should hold."),
    ),
  )
    .argument("[file]", `the network file to judge by (default: ${settings.configShown})`)
    .option("--repair", "withdraw what may not be there, bring what is missing, then ask again")
    .option("--json", "print the report as JSON")
    .option("--html <file>", "write the report as a page for an auditor")
    .option("--site <id>", "ask this site and the primary alone")
    .option("--read-archive", "read and authenticate each object of an archive, not its name alone")
    .addHelpText("after", NOTES)
    .action(async (file: string | undefined, options: AuditCommandOptions) => {
      const { network, shown } = readNetwork(settings, file);
      const only = options.site ?? null;
      if (only !== null && !network.sites.some(({ id }) => id === only))
        throw new UsageError(
          `There is no site ${only} in the network file; expected one of ${network.sites.map(({ id }) => id).join(", ")}.`,
        );
      const report = await residencyAudit({
        authenticator: authenticatorOf(network, settings, options),
        ...(await connectSites(settings, options)),
        network,
        networkFile: shown,
        asked: askedText(file, options),
        only,
        isRepairing: options.repair === true,
        scanner: readScanner(),
        now: Date.now,
        progress: (text) => {
          if (terminal.watched) terminal.tell(text);
        },
      });
      if (options.html !== undefined) writeFileSync(options.html, auditPage(report));
      terminal.print(
        options.json === true ? JSON.stringify(report, null, 2) : formatAudit(report, terminal.paint),
      );
      if (!isClean(report)) process.exitCode = EXIT.finding;
    });
}

/** Read once before anything is asked, so that a wrong keyring is told at once. */
function authenticatorOf(
  network: Network,
  settings: Settings,
  options: AuditCommandOptions,
): (() => Authenticator) | null {
  if (options.readArchive === true) {
    archiveOpener(network, settings, options);
    return () => archiveOpener(network, settings, options);
  }
  if (options.keyring !== undefined || options.rootKey !== undefined)
    throw new UsageError("--keyring and --root-key go with --read-archive; names of objects need no key.");
  return null;
}

function askedText(file: string | undefined, { repair, site, readArchive }: AuditCommandOptions): string {
  return [
    "kattegat residency audit",
    ...(file === undefined ? [] : [file]),
    ...(site === undefined ? [] : [`--site ${site}`]),
    ...(readArchive === true ? ["--read-archive"] : []),
    ...(repair === true ? ["--repair"] : []),
  ].join(" ");
}
