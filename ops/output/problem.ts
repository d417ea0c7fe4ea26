/** What a command says when it cannot do its work. */
import { NetworkFileError } from "@kattegat/config/yaml-text.ts";
import { KattegatError, type FieldError } from "@kattegat/protocol/errors.ts";
import { CommanderError } from "commander";
import { NoConnectionError } from "../client/client.ts";
import { MappingError } from "../ingest/mapping.ts";
import { SourceError } from "../ingest/record.ts";
import { SettingsError } from "../settings.ts";
import { EXIT, UsageError } from "./exit.ts";

export interface CommandProblem {
  readonly problem: {
    /** A code of the network, or `bad_usage`, or `bad_network_file`. */
    readonly code: string;
    readonly detail: string;
    readonly errors: readonly FieldError[];
  };
  readonly exit_code: number;
}

export function problemOf(error: unknown): CommandProblem {
  const detail = error instanceof Error ? error.message : String(error);
  const made = (code: string, exit: number, errors: readonly FieldError[] = []): CommandProblem => ({
    problem: { code, detail, errors },
    exit_code: exit,
  });
  if (error instanceof NetworkFileError) return made("bad_network_file", EXIT.finding);
  if (isUsage(error)) return made("bad_usage", EXIT.usage);
  if (error instanceof KattegatError) return made(error.code, EXIT.refused, error.errors);
  return made(error instanceof NoConnectionError ? "unavailable" : "internal", EXIT.refused);
}

function isUsage(error: unknown): boolean {
  const kinds = [CommanderError, SettingsError, UsageError, MappingError, SourceError];
  return kinds.some((kind) => error instanceof kind);
}

/** For a person; the network's own codes stand before what they mean. */
export function problemText({ problem: { code, detail, errors }, exit_code }: CommandProblem): string {
  const fields = errors.map(({ pointer, detail: what }) => `\n  ${pointer}: ${what}`).join("");
  const isNetworks = exit_code === EXIT.refused && code !== "internal" && code !== "unavailable";
  return `${isNetworks ? `${code}: ` : ""}${detail}${fields}`;
}
