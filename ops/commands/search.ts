/** The command `kattegat search`. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import { MODES, SEARCH_LIMITS } from "@kattegat/protocol/search.ts";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { Terminal } from "../output/terminal.ts";
import { formatAnswer } from "../output/answer-text.ts";
import type { Settings } from "../settings.ts";
import { connect, connectionOptions, wholeNumber, type ConnectionOptions } from "./connection.ts";

interface SearchOptions extends ConnectionOptions {
  readonly limit: number;
  readonly offset: number;
  readonly mode: string;
  readonly filter?: unknown;
  readonly tiers?: readonly string[];
  readonly collection?: string;
  readonly groupBy?: string;
  readonly timeoutMs?: number;
  readonly explain?: boolean;
  readonly country?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  kattegat search "enhver har ret til undervisning"
  kattegat search "frist for klage over afgørelse" --limit 5 --mode lexical
  kattegat search copyleft --filter '{"must":[{"key":"lang","match":{"value":"en"}}]}'
  kattegat search education --tiers ultra-hot,hot --explain
  kattegat search education --country US --zone global      what a caller there gets
`;

export function searchCommand(program: Command, settings: Settings, terminal: Terminal): void {
  const command = program
    .command("search")
    .description("Searches all tiers and prints one ranking.")
    .argument("<query>", "what to look for")
    .option("--limit <n>", "hits to print", wholeNumber({ min: 1, max: SEARCH_LIMITS.limitMax }), 10)
    .option("--offset <n>", "hits to pass over", wholeNumber({ min: 0, max: SEARCH_LIMITS.windowMax }), 0)
    .addOption(new Option("--mode <mode>", "how to rank").choices([...MODES]).default("hybrid"))
    .option("--filter <json>", "a filter in Qdrant's grammar", jsonOf)
    .option("--tiers <list>", `tiers to ask, separated by commas: ${TIER_NAMES.join(",")}`, (text) =>
      text.split(","),
    )
    .option("--collection <name>", "the collection to search")
    .addOption(new Option("--group-by <what>", "one hit for each").choices(["document", "passage"]))
    .option(
      "--timeout-ms <n>",
      "how long to wait",
      wholeNumber({ min: SEARCH_LIMITS.timeoutMsMin, max: SEARCH_LIMITS.timeoutMsMax }),
    )
    .option("--explain", "say why each hit stands where it does")
    .option("--country <code>", "the caller's country; a local network alone believes it")
    .option("--zone <zone>", "the edge zone to ask: eu or global")
    .option("--json", "print the answer as JSON")
    .addHelpText("after", EXAMPLES);
  connectionOptions(command).action(async (query: string, options: SearchOptions) => {
    const { limit, offset, mode, filter, tiers, collection, groupBy, timeoutMs, explain } = options;
    const request = {
      query,
      limit,
      offset,
      mode,
      filter,
      tiers,
      collection,
      group_by: groupBy,
      timeout_ms: timeoutMs,
      explain,
    };
    const answer = await connect(settings, options).search(
      request,
      options.country === undefined ? {} : { country: options.country },
    );
    terminal.print(
      options.json === true
        ? JSON.stringify(answer, null, 2)
        : formatAnswer(answer, { paint: terminal.paint, offset }),
    );
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidArgumentError(
      `Expected JSON: ${cause instanceof Error ? cause.message : "it does not parse"}.`,
    );
  }
}
