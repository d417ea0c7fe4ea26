/** The operator's command line. */
import { Command, CommanderError } from "commander";
import { archiveCommands } from "./commands/archive.ts";
import { configCommands } from "./commands/config.ts";
import { embeddingCommands } from "./commands/embedding.ts";
import { eraseCommand } from "./commands/erase.ts";
import { ingestCommand } from "./commands/ingest.ts";
import { keyCommands } from "./commands/key.ts";
import { ledgerCommands } from "./commands/ledger.ts";
import { residencyCommands } from "./commands/residency.ts";
import { searchCommand } from "./commands/search.ts";
import { statusCommand } from "./commands/status.ts";
import type { Interruption } from "./output/interruption.ts";
import { problemOf, problemText } from "./output/problem.ts";
import { processTerminal } from "./output/terminal.ts";
import { processSettings } from "./settings.ts";

const NOTES = `
Environment: KATTEGAT_DATA, KATTEGAT_PORT and KATTEGAT_CONFIG as for npm start; NO_COLOR switches colours off.
Exit codes: 0 done, 1 a finding, 2 bad usage, 3 the network refused or could not.
With --json a command that fails prints {"problem": {"code", "detail", "errors"}, "exit_code"} instead of its result.
`;

/** Sets the exit code; resolves when everything is printed. */
export async function runCommandLine(interruption: Interruption): Promise<void> {
  const terminal = processTerminal();
  try {
    const settings = processSettings();
    const program = new Command("kattegat")
      .description("Operates a Kattegat network.")
      .exitOverride()
      .addHelpText("after", NOTES)
      .hook("preAction", (_, action) => {
        if (action.name() !== "ingest") interruption.release();
      });
    searchCommand(program, settings, terminal);
    ingestCommand(program, settings, terminal, interruption.signal);
    eraseCommand(program, settings, terminal);
    statusCommand(program, settings, terminal);
    configCommands(program, settings, terminal);
    residencyCommands(program, settings, terminal);
    keyCommands(program, settings, terminal);
    embeddingCommands(program, settings, terminal);
    ledgerCommands(program, settings, terminal);
    archiveCommands(program, settings, terminal);
    await program.parseAsync();
  } catch (error) {
    // Commander prints its own messages, and its help counts as an error with the code 0.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const problem = problemOf(error);
    process.exitCode = problem.exit_code;
    if (wantsJson(process.argv)) terminal.print(JSON.stringify(problem, null, 2));
    else if (!(error instanceof CommanderError))
      terminal.tell(`${terminal.paintError.red("kattegat")}: ${problemText(problem)}`);
  }
}

/** Looked for here because a line that does not parse has no options. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(2, end === -1 ? undefined : end).includes("--json");
}
