/** The commands of `kattegat residency`. */
import { todayUtc } from "@kattegat/config/day.ts";
import { processingRecord } from "@kattegat/config/processing-record.ts";
import type { Command } from "commander";
import { readNetwork } from "../configured-network.ts";
import { formatRecord } from "../output/record-text.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";
import { auditCommand } from "./audit.ts";
import { repairsCommand } from "./repairs.ts";

const RECORDS_NOTES = `
The section \`organisation\` of the network file says who answers, for what, about whom; the record names what is missing.

Examples:
  kattegat residency records > record-of-processing.md
  kattegat residency records drafts/network.yaml --json | jq .recipients
`;

export function residencyCommands(program: Command, settings: Settings, terminal: Terminal): void {
  const residency = program.command("residency").description("Shows for auditors where documents may be.");
  residency
    .command("records")
    .description("Writes the record of processing activities (Art. 30 GDPR) from the network file.")
    .argument("[file]", `the network file (default: ${settings.configShown})`)
    .option("--json", "print the record as JSON")
    .addHelpText("after", RECORDS_NOTES)
    .action((file: string | undefined, options: { readonly json?: boolean }) => {
      const { network } = readNetwork(settings, file);
      const record = processingRecord(network, { today: todayUtc() });
      terminal.print(options.json === true ? JSON.stringify(record, null, 2) : formatRecord(record));
    });
  auditCommand(residency, settings, terminal);
  repairsCommand(residency, settings, terminal);
}
