/** The JSON in a site's answer. */
import { KattegatError } from "@kattegat/protocol/errors.ts";

/** @throws {KattegatError} `unavailable`, without the parser's message, which quotes the answer: that may be a document (I17). */
export function parseAnswer(bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new KattegatError(
      "unavailable",
      `Expected JSON; the ${bytes.byteLength} bytes that came are none. Something else answers, or the answer was cut.`,
    );
  }
}
