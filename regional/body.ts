/** Bodies of requests between sites. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseJson } from "@kattegat/protocol/parse.ts";
import type { HonoRequest } from "hono";
import { faultOf } from "@kattegat/protocol/storable-text.ts";
import { z } from "zod";

/**
 * Reads the body as JSON of the schema's shape.
 *
 * @throws {KattegatError} `too_large`, `bad_json` or `bad_request`.
 */
export async function readBody<T>(
  request: HonoRequest,
  schema: z.ZodType<T>,
  { bytesMax }: { readonly bytesMax: number },
): Promise<T> {
  return parseJson(storable(schema), decode(await bytesOf(request, bytesMax)));
}

/** Qdrant's parser would refuse the request that is made of it. */
function storable<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z
    .unknown()
    .superRefine((value, context) => {
      const fault = faultOf(value);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .pipe(schema);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KattegatError("bad_json", "Expected a body in UTF-8.", { cause });
  }
}

async function bytesOf(request: HonoRequest, bytesMax: number): Promise<Uint8Array> {
  const tooLarge = new KattegatError("too_large", `Expected a body of at most ${bytesMax} bytes.`);
  const declared = Number(request.header("content-length") ?? Number.NaN);
  if (declared > bytesMax) throw tooLarge;
  // Node reads no more than was declared, and as a whole at a third of the cost.
  if (declared >= 0) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.raw.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
