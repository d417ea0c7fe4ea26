/** Numbers as base64 text, little-endian. */
import { z } from "zod";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES = new Uint8Array(128).fill(255);
for (let index = 0; index < ALPHABET.length; index += 1) CODES[ALPHABET.charCodeAt(index)] = index;

export function encodeBase64(bytes: Uint8Array): string {
  // Node 24 lacks the built-in that newer runtimes have.
  if (typeof Uint8Array.fromBase64 === "function") return bytes.toBase64();
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET.charAt(word >> 18) + ALPHABET.charAt((word >> 12) & 63);
    text += left > 1 ? ALPHABET.charAt((word >> 6) & 63) : "=";
    text += left > 2 ? ALPHABET.charAt(word & 63) : "=";
  }
  return text;
}

/** @throws {SyntaxError} when the text is not padded base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw new SyntaxError("expected padded base64");
  // The built-in skips white space, which the loop below refuses: two runtimes may not differ in what they take.
  if (typeof Uint8Array.fromBase64 === "function" && !/\s/.test(text)) {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  }
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  for (let index = 0; index < text.length; index += 4) {
    let word = 0;
    for (let step = 0; step < 4; step += 1) {
      const isPadding = index + step >= text.length - padding;
      const code = isPadding ? 0 : (CODES[text.charCodeAt(index + step)] ?? 255);
      if (code === 255) throw new SyntaxError("expected base64 characters only");
      word = (word << 6) | code;
    }
    if (index + 4 === text.length && (word & ((1 << (padding * 8)) - 1)) !== 0)
      throw new SyntaxError("expected zeros in the padding");
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = (word >> shift) & 255;
  }
  return bytes;
}

export function encodeFloats(values: Float32Array): string {
  return encodeBase64(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** @throws {RangeError} when the bytes are no whole number of floats. */
export function decodeFloats(text: string): Float32Array<ArrayBuffer> {
  return new Float32Array(decodeBase64(text).buffer);
}

export function encodeIntegers(values: Uint32Array): string {
  return encodeBase64(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** @throws {RangeError} when the bytes are no whole number of integers. */
export function decodeIntegers(text: string): Uint32Array<ArrayBuffer> {
  return new Uint32Array(decodeBase64(text).buffer);
}

/** A base64 field of a wire shape; whoever decodes it checks its length. */
export const base64Schema = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "expected base64");
