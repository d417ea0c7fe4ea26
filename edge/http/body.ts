/** Reading of a request's body within a bound. */
import { KattegatError } from "@kattegat/protocol/errors.ts";

/** Twice the largest document: whoever sends more finds the connection closed. */
const DISCARDED_BYTES_MAX = 8 * 1_024 * 1_024;

/**
 * Resolves with the body as text.
 *
 * @throws {KattegatError} `too_large` when more than `bytesMax` came, `bad_json` when it is not UTF-8.
 */
export async function readText(
  request: Request,
  { bytesMax }: { readonly bytesMax: number },
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (request.body !== null) {
    for await (const chunk of request.body) {
      bytes += chunk.byteLength;
      // A client that is still sending does not read the answer, so the rest of a moderate body is taken in, not kept.
      if (bytes > bytesMax + DISCARDED_BYTES_MAX) break;
      if (bytes <= bytesMax) chunks.push(chunk);
    }
  }
  if (bytes > bytesMax) throw tooLarge(bytesMax);
  return decodeUtf8(joined(chunks, bytes));
}

/** @throws {KattegatError} `unsupported_media_type` unless the body is declared as one of the types. */
export function requireMediaType(request: Request, types: readonly string[]): void {
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
  const name = type.trim().toLowerCase();
  if (!types.includes(name)) {
    throw new KattegatError(
      "unsupported_media_type",
      `Expected content-type ${types.join(" or ")}; ${name === "" ? "none came" : `${JSON.stringify(name.slice(0, 100))} came`}.`,
    );
  }
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (cause) {
    throw new KattegatError("bad_json", "Expected a body in UTF-8; bytes came that are not.", { cause });
  }
}

export function tooLarge(bytesMax: number): KattegatError {
  return new KattegatError("too_large", `Expected a body of at most ${bytesMax} bytes.`);
}

export function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** @throws {KattegatError} `bad_json`; the parser's own message would quote the body. */
export function parseJsonText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new KattegatError("bad_json", "Expected a JSON body; it does not parse.", { cause });
  }
}
