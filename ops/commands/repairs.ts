/** The command `kattegat residency repairs`. */
import { repairListSchema } from "@kattegat/protocol/digests.ts";
import type { Command } from "commander";
import { comparedSites, findingOf } from "../output/comparison-finding.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import { formatRepairs } from "../output/repairs-text.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { connect, connectPrimary, operatorOptions, wholeNumber, type OperatorOptions } from "./connection.ts";

const NOTES = `
Replication compares every site's copies with what the log plans there, all the time, and heals what differs by a change of the log. Each
repair says what was wrong at which site, and the sequence of the change; the primary keeps the last 10,000. How far the comparison of
each site is stands above them.

Exit code 1 while a site has a fault that is not healed, cannot be compared or read, or replication has said nothing of it for ten
minutes; what it is stands below the table.

Examples:
  kattegat residency repairs
  kattegat residency repairs --site eu-fra --limit 500 --json | jq '.repairs[] | {kind, document_id, detail}'
`;

const LISTED_MAX = 10_000;

interface RepairsOptions extends OperatorOptions {
  readonly json?: boolean;
  readonly site?: string;
  readonly limit: number;
}

export function repairsCommand(residency: Command, settings: Settings, terminal: Terminal): void {
  operatorOptions(
    residency
      .command("repairs")
      .description("Lists the copies that were found wrong and healed, and how each site compares."),
  )
    .option("--site <id>", "repairs at this site alone")
    .option("--limit <count>", "so many of the last", wholeNumber({ min: 1, max: LISTED_MAX }), 50)
    .option("--json", "print the comparisons and repairs as JSON")
    .addHelpText("after", NOTES)
    .action(async (options: RepairsOptions) => {
      const network = await connect(settings, options).network();
      const primary = await connectPrimary(settings, options);
      const query = {
        limit: String(options.limit),
        ...(options.site === undefined ? {} : { site: options.site }),
      };
      const { repairs } = await primary.json(repairListSchema, "/internal/digests/repairs", { query });
      const sites = comparedSites(network.sites)
        .filter(({ site }) => options.site === undefined || options.site === site)
        .map((each) => ({ ...each, finding: findingOf(each) }));
      if (options.site !== undefined && sites.length === 0)
        throw new UsageError(`There is no running site ${options.site} whose copies are compared.`);
      terminal.print(
        options.json === true
          ? JSON.stringify({ sites, repairs }, null, 2)
          : formatRepairs({ sites, repairs }),
      );
      if (sites.some(({ finding }) => finding !== null)) process.exitCode = EXIT.finding;
    });
}
