/** The commands `kattegat key create`, `kattegat key list`, `kattegat key revoke`. */
import { randomBytes } from "node:crypto";
import { KEY_SCOPES, type CallerKey, type KeyScope } from "@kattegat/protocol/site-token.ts";
import { InvalidArgumentError, type Command } from "commander";
import { addCallerKey, CallerKeyError, readCallerKeys, removeCallerKey } from "../local/caller-keys.ts";
import { dataFolder } from "../local/folder.ts";
import { processLives, readLock } from "../local/lock.ts";
import { UsageError } from "../output/exit.ts";
import { table } from "../output/table.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Settings } from "../settings.ts";

interface JsonOption {
  readonly json?: boolean;
}

interface CreateOptions extends JsonOption {
  readonly scope: readonly KeyScope[];
  readonly name?: string;
}

const NOTES = `
The keys are those of the local network in KATTEGAT_DATA. It keeps their hashes alone: a key is shown once, when it is
made. A network that runs takes a change up when it is started again; until then a revoked key still works.

Scopes: search reads, write puts and deletes documents, admin does everything.

Examples:
  kattegat key create --scope search --name website
  kattegat key create --scope search,write --name importer --json
  kattegat key list
  kattegat key revoke website
`;

export function keyCommands(program: Command, settings: Settings, terminal: Terminal): void {
  const folder = dataFolder(settings.data);
  const key = program
    .command("key")
    .description("Makes, lists and revokes the keys of callers.")
    .addHelpText("after", NOTES);
  const print = (options: JsonOption, value: unknown, text: string): void =>
    terminal.print(options.json === true ? JSON.stringify(value, null, 2) : text);
  /** Every process that reads the keys is started by the network's own. */
  const tellRestart = (what: string): void => {
    const holder = readLock(folder.lock);
    if (holder !== null && processLives(holder)) terminal.tell(`${what} when the network is started again`);
  };

  key
    .command("create")
    .description("Makes a key and prints it, once.")
    .requiredOption(
      "--scope <list>",
      `what it may do, separated by commas: ${KEY_SCOPES.join(",")}`,
      scopesOf,
    )
    .option("--name <name>", "its name, for the list and for messages", nameOf)
    .option("--json", "print the key with its name and scopes as JSON")
    .addHelpText("after", NOTES)
    .action((options: CreateOptions) => {
      callersOf(folder.callerKeys);
      const id = options.name ?? `key-${randomBytes(4).toString("hex")}`;
      const made = usage(() =>
        addCallerKey(folder.callerKeys, { id, scopes: options.scope, at: new Date() }),
      );
      print(options, { ...shown(made.caller), key: made.key }, made.key);
      terminal.tell(`${id} may: ${options.scope.join(", ")}; the key is not shown again`);
      tellRestart("it counts");
    });
  key
    .command("list")
    .description("Lists the keys by name, without the keys themselves.")
    .option("--json", "print the list as JSON")
    .action((options: JsonOption) => {
      const keys = callersOf(folder.callerKeys).map(shown);
      const rows = keys.map(({ name, scopes, created_at }) => [name, scopes.join(","), created_at]);
      print(options, { keys }, table([["name", "scopes", "created"], ...rows]).join("\n"));
    });
  key
    .command("revoke")
    .description("Takes a key back.")
    .argument("<name>", "its name")
    .option("--json", "print the revoked key's name and scopes as JSON")
    .action((name: string, options: JsonOption) => {
      callersOf(folder.callerKeys);
      const revoked = usage(() => removeCallerKey(folder.callerKeys, name));
      print(options, shown(revoked), `${name} is revoked`);
      tellRestart("it ends");
    });
}

interface ShownKey {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly created_at: string;
}

function shown({ id, scopes, created_at }: CallerKey): ShownKey {
  return { name: id, scopes, created_at };
}

function callersOf(path: string): readonly CallerKey[] {
  const callers = readCallerKeys(path);
  if (callers === null)
    throw new UsageError(`There are no keys at ${path}. Start the network first (npm start).`);
  return callers;
}

function usage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CallerKeyError ? new UsageError(error.message) : error;
  }
}

function scopesOf(text: string): readonly KeyScope[] {
  const wanted = text.split(",").map((part) => part.trim());
  const scopes = KEY_SCOPES.filter((scope) => wanted.includes(scope));
  if (scopes.length !== wanted.length)
    throw new InvalidArgumentError(`Expected one or several of ${KEY_SCOPES.join(", ")}, each once.`);
  return scopes;
}

function nameOf(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text))
    throw new InvalidArgumentError("Expected 1 to 64 letters, digits, dots, hyphens or underscores.");
  return text;
}
