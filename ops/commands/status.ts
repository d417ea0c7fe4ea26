/** The command `kattegat status`. */
import type { Command } from "commander";
import { EXIT } from "../output/exit.ts";
import { formatNetwork } from "../output/status-text.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { connect, connectionOptions, type ConnectionOptions } from "./connection.ts";

interface StatusOptions extends ConnectionOptions {
  readonly json?: boolean;
}

const NOTES = `
Exit code 1 when a site that should run is lagging or does not answer.

Examples:
  kattegat status
  kattegat status --json | jq '.sites[] | {id, health, lag_ms}'
`;

export function statusCommand(program: Command, settings: Settings, terminal: Terminal): void {
  const command = program
    .command("status")
    .description("Shows the sites with their health, the tiers, the residency classes.")
    .option("--json", "print the state as JSON")
    .addHelpText("after", NOTES);
  connectionOptions(command).action(async (options: StatusOptions) => {
    const network = await connect(settings, options).network();
    terminal.print(
      options.json === true ? JSON.stringify(network, null, 2) : formatNetwork(network, terminal.paint),
    );
    if (network.sites.some(({ health }) => health === "lagging" || health === "unavailable"))
      process.exitCode = EXIT.finding;
  });
}
