/** The keys of callers in a data folder. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { callerKeySchema, type CallerKey, type KeyScope } from "@kattegat/protocol/site-token.ts";
import { z } from "zod";
import { replaceFile } from "./folder.ts";

/** 256 bits: a guess is hopeless, so the hash needs no salt and no slowness. */
const KEY_BYTES = 32;
/** An edge compares a request's key with every key that it knows. */
const KEYS_MAX = 1_000;

export const OWNER_ONLY = { mode: 0o600 } as const;

/** The wish cannot be granted; the message says why. */
export class CallerKeyError extends Error {
  override readonly name = "CallerKeyError";
}

/** Null when no network ever ran on the folder. */
export function readCallerKeys(path: string): readonly CallerKey[] | null {
  return existsSync(path) ? z.array(callerKeySchema).parse(JSON.parse(readFileSync(path, "utf8"))) : null;
}

/** The plain key is in the result alone; the file knows its hash. */
export function addCallerKey(
  path: string,
  { id, scopes, at }: { readonly id: string; readonly scopes: readonly KeyScope[]; readonly at: Date },
): { readonly key: string; readonly caller: CallerKey } {
  const callers = readCallerKeys(path) ?? [];
  if (callers.some((caller) => caller.id === id))
    throw new CallerKeyError(`Expected another name: there is a key ${id} already.`);
  if (callers.length >= KEYS_MAX)
    throw new CallerKeyError(`Expected at most ${KEYS_MAX} keys; revoke one that is not used.`);
  const key = `kat_${randomBytes(KEY_BYTES).toString("base64url")}`;
  const sha256 = createHash("sha256").update(key).digest("hex");
  const caller: CallerKey = { id, sha256, scopes: [...scopes], created_at: at.toISOString() };
  write(path, [...callers, caller]);
  return { key, caller };
}

/** @throws {CallerKeyError} for an unknown key, or the last one with which the network can be operated. */
export function removeCallerKey(path: string, id: string): CallerKey {
  const callers = readCallerKeys(path) ?? [];
  const found = callers.find((caller) => caller.id === id);
  if (found === undefined)
    throw new CallerKeyError(
      `Expected the name of a key: ${callers.map((caller) => caller.id).join(", ") || "there is none"}; ${id} came.`,
    );
  const rest = callers.filter((caller) => caller !== found);
  if (!rest.some(({ scopes }) => scopes.includes("admin")))
    throw new CallerKeyError(
      `${id} is the last key with the scope admin: create another one before it is revoked.`,
    );
  write(path, rest);
  return found;
}

function write(path: string, callers: readonly CallerKey[]): void {
  replaceFile(path, JSON.stringify(callers, null, 2), OWNER_ONLY);
}
