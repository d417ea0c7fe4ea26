/** The digest of a body as its header says it: RFC 9530, with SHA-256 alone. */
import { decodeBase64, encodeBase64 } from "./base64.ts";

const SHA256_BYTES = 32;

/** Returns the value of `content-digest` or `repr-digest`. */
export function formatDigest(sha256: Uint8Array): string {
  return `sha-256=:${encodeBase64(sha256)}:`;
}

/** Returns the digest; null for a header that gives no whole SHA-256. */
export function parseDigest(header: string): Uint8Array<ArrayBuffer> | null {
  const [, text] = /^sha-256=:([A-Za-z0-9+/]+={0,2}):$/.exec(header) ?? [];
  if (text === undefined || text.length % 4 !== 0) return null;
  const digest = decodeBase64(text);
  return digest.byteLength === SHA256_BYTES ? digest : null;
}
