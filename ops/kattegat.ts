/** The operator's command. */
import { NetworkFileError } from "@kattegat/config/load.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { Command, CommanderError } from "commander";
import { configCommands } from "./commands/config.ts";
import { ingestCommand } from "./commands/ingest.ts";
import { searchCommand } from "./commands/search.ts";
import { statusCommand } from "./commands/status.ts";
import { MappingError } from "./ingest/mapping.ts";
import { SourceError } from "./ingest/record.ts";
import { EXIT, UsageError } from "./output/exit.ts";
import { processTerminal } from "./output/terminal.ts";
import { processSettings, SettingsError } from "./settings.ts";

const NOTES = `
Environment: KATTEGAT_DATA, KATTEGAT_PORT and KATTEGAT_CONFIG as for npm start; NO_COLOR switches colours off.
Exit codes: 0 done, 1 a finding, 2 bad usage, 3 the network refused or could not.
`;

const terminal = processTerminal();

try {
  const settings = processSettings();
  const program = new Command("kattegat")
    .description("Operates a Kattegat network.")
    .exitOverride()
    .addHelpText("after", NOTES);
  searchCommand(program, settings, terminal);
  ingestCommand(program, settings, terminal);
  statusCommand(program, settings, terminal);
  configCommands(program, settings, terminal);
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Commander has printed its own messages already.
  if (!(error instanceof CommanderError))
    terminal.tell(`${terminal.paintError.red("kattegat")}: ${messageOf(error)}`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof NetworkFileError) return EXIT.finding;
  return [SettingsError, UsageError, MappingError, SourceError].some((kind) => error instanceof kind)
    ? EXIT.usage
    : EXIT.refused;
}

function messageOf(error: unknown): string {
  if (error instanceof KattegatError) {
    const fields = error.errors.map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`).join("");
    return `${error.code}: ${error.message}${fields}`;
  }
  return error instanceof Error ? error.message : String(error);
}
