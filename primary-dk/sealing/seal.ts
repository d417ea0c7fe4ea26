/** Bytes that only the holder of a key can read or make. */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  randomBytes,
  randomFillSync,
  type KeyObject,
} from "node:crypto";

/** AES-256-GCM with a random nonce (NIST SP 800-38D, section 8.2.2): a key seals far fewer than 2^32 values. */
const ALGORITHM = "aes-256-gcm";
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;
/** What a sealed value is longer by. */
export const SEAL_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/** What was sealed is damaged, belongs elsewhere, or was sealed by another key. */
export class SealError extends Error {
  override readonly name = "SealError";
}

export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** A key as a cipher takes it: made once, since making it costs three times as much as sealing a vector. */
export function sealKeyOf(key: Uint8Array): KeyObject {
  return createSecretKey(key);
}

/** Asking for twelve bytes at a time costs half as much as sealing a vector. */
const noncePool = Buffer.alloc(NONCE_BYTES * 1_024);
let nonceAt = noncePool.length;

function newNonce(): Buffer {
  if (nonceAt === noncePool.length) {
    randomFillSync(noncePool);
    nonceAt = 0;
  }
  nonceAt += NONCE_BYTES;
  return noncePool.subarray(nonceAt - NONCE_BYTES, nonceAt);
}

/** Returns format, nonce, ciphertext, tag. `context` says where the value belongs: it opens nowhere else. */
export function seal(key: KeyObject, value: Uint8Array, context: string): Buffer {
  const nonce = newNonce();
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(Buffer.from(context, "utf8"));
  const body = cipher.update(value);
  cipher.final();
  return Buffer.concat([Uint8Array.of(FORMAT), nonce, body, cipher.getAuthTag()]);
}

/** @throws {SealError} when the key, the context or a single bit is another. */
export function unseal(key: KeyObject, sealed: Uint8Array, context: string): Buffer {
  if (sealed.byteLength < SEAL_BYTES || sealed[0] !== FORMAT)
    throw new SealError(`expected a sealed value of format ${FORMAT}`);
  const end = sealed.byteLength - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, 1 + NONCE_BYTES));
  decipher.setAAD(Buffer.from(context, "utf8"));
  decipher.setAuthTag(sealed.subarray(end));
  const value = decipher.update(sealed.subarray(1 + NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    throw new SealError("expected a value sealed by this key for this place");
  }
  return value;
}
