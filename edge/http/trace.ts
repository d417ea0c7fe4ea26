/** The W3C trace that a request belongs to. */

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/**
 * Returns the `traceparent` to send on: the caller's trace with a span of our own, else a new trace.
 * A malformed header is ignored, as W3C Trace Context §3.2 says.
 */
export function traceparentOf(header: string | undefined, randomHex: (digits: number) => string): string {
  const [, version, trace, span, flags] = TRACEPARENT.exec(header ?? "") ?? [];
  const isValid =
    version !== undefined && version !== "ff" && !/^0+$/.test(trace ?? "") && !/^0+$/.test(span ?? "");
  return isValid ? `00-${trace}-${randomHex(16)}-${flags}` : `00-${randomHex(32)}-${randomHex(16)}-00`;
}

export function randomHex(digits: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
