/** Tells apart what went wrong in Postgres. */
import { KattegatError } from "@kattegat/protocol/errors.ts";

/** A fault of the data (SQLSTATE classes 22 and 23, 54 for a limit): the transaction is rolled back for certain. */
export function isDataError(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && /^(22|23|54)[0-9A-Z]{3}$/.test(String(error.code));
}

export function unavailable(cause: unknown): KattegatError {
  return cause instanceof KattegatError ? cause : new KattegatError("unavailable", "Postgres does not answer; repeat the request.", { cause, retryAfterSeconds: 1 });
}

/** Makes what the driver throws an operating error; programming errors stay what they are. */
export async function withPostgres<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isConnectionError(error) ? unavailable(error) : error;
  }
}

/** Codes of the driver and of sockets, and SQLSTATE classes 08 (connection), 53 (resources), 57 (shutdown). */
function isConnectionError(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && /^(CONNECT|CONNECTION|ECONN|EPIPE|ETIMEDOUT|08|53|57)/.test(String(error.code));
}
