/** Bodies of requests, read within bounds. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import { faultOf } from "@kattegat/protocol/storable-text.ts";
import type { z } from "zod";

/** Resolves with the whole body; stops reading at the bound. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  { bytesMax }: { readonly bytesMax: number },
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.byteLength;
    if (length > bytesMax)
      throw new KattegatError("too_large", `Expected a body of at most ${bytesMax} bytes; more came.`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses bytes as UTF-8, then JSON, then a shape.
 *
 * @throws {KattegatError} `bad_json` or `bad_request`.
 */
export function parseBytes<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  return parseShape(schema, jsonOf(bytes));
}

function jsonOf(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    // The parser's own message quotes the body.
    const isText = cause instanceof SyntaxError;
    throw new KattegatError(
      "bad_json",
      isText
        ? "Expected a JSON body; it does not parse."
        : "Expected a JSON body in UTF-8; its bytes are not UTF-8.",
      { cause },
    );
  }
  const fault = faultOf(value);
  if (fault !== null)
    throw new KattegatError("bad_request", `Expected another body: ${fault}.`, {
      errors: [{ pointer: "", detail: fault }],
    });
  return value;
}
