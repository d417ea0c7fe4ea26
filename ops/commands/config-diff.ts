/** The command `kattegat config diff`. */
import { diffNetworks } from "@kattegat/config/diff.ts";
import { todayUtc } from "@kattegat/config/day.ts";
import type { Census } from "@kattegat/protocol/census.ts";
import { KattegatError, type ErrorCode } from "@kattegat/protocol/errors.ts";
import type { Command } from "commander";
import { readCensus } from "../client/census.ts";
import { NoConnectionError } from "../client/client.ts";
import { readNetwork } from "../configured-network.ts";
import { formatDiff, weighDiff } from "../output/diff-text.ts";
import { EXIT, UsageError } from "../output/exit.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { connectPrimary, operatorOptions, wholeNumber, type OperatorOptions } from "./connection.ts";

interface DiffOptions extends OperatorOptions {
  readonly acceptWidening?: boolean;
  readonly changesPerSecond: number;
  readonly json?: boolean;
}

/** The primary gives no answer, or none in time. */
const SILENT: ReadonlySet<ErrorCode> = new Set(["unavailable", "timeout"]);

/** What replication has to sustain beside a network's own writes; bench/ measures more. */
const CHANGES_PER_SECOND = 500;

const NOTES = `
Counts come from the running network; without one the kinds are told alone. Bytes are an estimate from the size of the
primary's tables; hours are those of the site with most changes, since each site has a stream of its own.

Exit code 1 when the second file permits something that the first does not, on whatever day, unless --accept-widening.

Examples:
  kattegat config diff config/network.yaml drafts/network.yaml
  kattegat config diff old.yaml new.yaml --accept-widening --json
`;

export function configDiffCommand(config: Command, settings: Settings, terminal: Terminal): void {
  const command = config
    .command("diff")
    .description("Says what a change of the network file would move, copy, delete, permit and forbid.")
    .argument("<before>", "the network file as it is")
    .argument("<after>", "the network file as it would be")
    .option("--accept-widening", "exit with 0 although something is newly permitted")
    .option(
      "--changes-per-second <n>",
      "what replication is taken to carry to a site",
      wholeNumber({ min: 1, max: 1_000_000 }),
      CHANGES_PER_SECOND,
    )
    .option("--json", "print the difference as JSON")
    .addHelpText("after", NOTES);
  operatorOptions(command).action(async (before: string, after: string, options: DiffOptions) => {
    const was = readNetwork(settings, before).network;
    const diff = diffNetworks(was, readNetwork(settings, after).network, { today: todayUtc() });
    const { census, missing } = await censusOf(settings, options);
    const weighed = weighDiff(diff, census, { changesPerSecond: options.changesPerSecond });
    terminal.print(
      options.json === true
        ? JSON.stringify({ ...weighed, counted: census !== null, not_counted_because: missing }, null, 2)
        : formatDiff(weighed, { missing, paint: terminal.paint }),
    );
    if (diff.permitted.length > 0 && options.acceptWidening !== true) process.exitCode = EXIT.finding;
  });
}

/** A difference can be read without a network: a plan is made before anything runs. */
async function censusOf(
  settings: Settings,
  options: DiffOptions,
): Promise<{ readonly census: Census | null; readonly missing: string | null }> {
  try {
    return { census: await readCensus(await connectPrimary(settings, options)), missing: null };
  } catch (error) {
    const isSilent = error instanceof KattegatError && SILENT.has(error.code);
    if (isSilent || error instanceof NoConnectionError || error instanceof UsageError)
      return { census: null, missing: error.message };
    throw error;
  }
}
