/** The check of a caller's key. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { CallerKey, KeyScope } from "@kattegat/protocol/site-token.ts";

/** A key is 43 base64url characters when Kattegat makes it; a longer header is nobody's key. */
const KEY_CHARACTERS_MAX = 512;

export interface Authentication {
  /**
   * Resolves with the key that the request shows.
   *
   * @throws {KattegatError} `unauthenticated` without a known key, `forbidden` when it lacks the scope.
   */
  authenticate(authorization: string | undefined, scope: KeyScope): Promise<CallerKey>;
}

export function createAuthentication(keys: readonly CallerKey[]): Authentication {
  return {
    async authenticate(authorization, scope) {
      const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1];
      if (token === undefined || token.length > KEY_CHARACTERS_MAX) {
        throw new KattegatError("unauthenticated", "Expected the header `Authorization: Bearer KEY`.");
      }
      const digest = await sha256Hex(token);
      // Every key is compared in full, so that time tells nothing about how near a guess is.
      let found: CallerKey | null = null;
      for (const key of keys) if (isEqualInConstantTime(key.sha256, digest)) found = key;
      if (found === null) throw new KattegatError("unauthenticated", "The key is not known here.");
      if (!found.scopes.includes(scope) && !found.scopes.includes("admin")) {
        throw new KattegatError(
          "forbidden",
          `Expected a key with the scope ${scope}; ${found.id} has ${found.scopes.join(", ")}.`,
        );
      }
      return found;
    },
  };
}

export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isEqualInConstantTime(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < right.length; index += 1)
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
