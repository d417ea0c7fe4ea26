/** What a writer demands of the document that its write meets. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { DocumentState } from "./state.ts";

/** RFC 9110, sections 13.1.1 with 13.1.2: `If-Match: "7"`, `If-Match: *`, `If-None-Match: *`. */
export type Precondition =
  | { readonly kind: "none" }
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "present" }
  | { readonly kind: "absent" };

export const NO_PRECONDITION: Precondition = { kind: "none" };

/** @throws {KattegatError} for headers that ask for something else, rather than to write without a condition. */
export function preconditionOf({
  ifMatch,
  ifNoneMatch,
}: {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}): Precondition {
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw new KattegatError("bad_request", "Expected If-Match or If-None-Match, not both.");
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === "*") return { kind: "absent" };
    throw new KattegatError("bad_request", "Expected If-None-Match: * to write only a document that is new.");
  }
  if (ifMatch === undefined) return NO_PRECONDITION;
  const version = /^(?:W\/)?"?(\d{1,19}|\*)"?$/.exec(ifMatch.trim())?.[1];
  if (version === undefined)
    throw new KattegatError("bad_request", 'Expected If-Match: "version" with one version of the document.');
  return version === "*" ? { kind: "present" } : { kind: "version", version };
}

/** Null when the document is as demanded. */
export function failedPrecondition(
  precondition: Precondition,
  current: Pick<DocumentState, "version"> | null,
): KattegatError | null {
  switch (precondition.kind) {
    case "none":
      return null;
    case "present":
      return current === null ? mismatch("Expected a document with this id; there is none.") : null;
    case "absent":
      return current === null
        ? null
        : mismatch(`Expected no document with this id; there is one of version ${current.version}.`);
    case "version":
      if (current === null) return mismatch("Expected a document with this version; there is none.");
      return current.version === precondition.version
        ? null
        : mismatch(`Expected version ${precondition.version}; the document has version ${current.version}.`);
    default:
      return precondition satisfies never;
  }
}

function mismatch(detail: string): KattegatError {
  return new KattegatError("version_mismatch", detail);
}
