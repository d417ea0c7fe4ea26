const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Returns the text in UTF-8. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(text));
}

/** Returns the text of UTF-8; throws a TypeError when it is not valid. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
