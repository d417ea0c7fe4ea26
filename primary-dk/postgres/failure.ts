/** Tells apart what went wrong in Postgres. */
import { KattegatError } from "@kattegat/protocol/errors.ts";

/**
 * Whether the transaction is rolled back for certain, so that its writes can be tried one by one.
 *
 * SQLSTATE classes 22 (a value), 23 (a constraint), 40 (a deadlock with another process), 54 (a limit).
 */
export function isRolledBack(error: unknown): boolean {
  return /^(22|23|40|54)[0-9A-Z]{3}$/.test(codeOf(error));
}

/** What to tell the writer of a single document whose transaction was rolled back. */
export function refusalOf(error: unknown): KattegatError {
  if (/^(23|40)/.test(codeOf(error)))
    return new KattegatError(
      "conflict",
      "Another process wrote this document at the same time; repeat the write.",
      { cause: error },
    );
  return new KattegatError("bad_request", "Postgres cannot store a value of this document.", {
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

export function unavailable(cause: unknown): KattegatError {
  return cause instanceof KattegatError
    ? cause
    : new KattegatError("unavailable", "Postgres does not answer; repeat the request.", {
        cause,
        retryAfterSeconds: 1,
      });
}

/** What a log may tell of an error: Postgres' own messages quote the document. */
export function loggable(error: unknown): Record<string, unknown> {
  if (typeof error !== "object" || error === null || !("routine" in error)) return { err: error };
  return { postgres: { code: codeOf(error), routine: error.routine } };
}

/** Makes what the driver throws an operating error; programming errors stay what they are. */
export async function withPostgres<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isConnectionError(error) ? unavailable(error) : error;
  }
}

/** How many errors one may be wrapped in: the driver's, drizzle's, our own. */
const CAUSES_MAX = 5;

/** The code of the driver, a socket or Postgres that the error or one of its causes carries; null when it is another's. */
export function postgresCode(error: unknown): string | null {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth += 1) {
    const code = codeOf(current);
    if (/^(CONNECT|CONNECTION)_|^E[A-Z0-9]+$|^[0-9A-Z]{5}$/.test(code)) return code;
    current = current.cause;
  }
  return null;
}

/** Codes of the driver and of sockets, and SQLSTATE classes 08 (connection), 53 (resources), 57 (shutdown). */
function isConnectionError(error: unknown): boolean {
  return /^(CONNECT|CONNECTION|ECONN|EPIPE|ETIMEDOUT|08|53|57)/.test(codeOf(error));
}
