/** The public keys of the senders. */
import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { z } from "zod";

const keysSchema = z.object({
  keys: z.array(z.object({ kty: z.string() }).catchall(z.string().or(z.array(z.string())))),
});

/** The message names the file only: a parser's own would quote it. */
export async function readKeys(path: string): Promise<JSONWebKeySet> {
  const text = await readFile(path, "utf8");
  try {
    return keysSchema.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path}: expected a JSON Web Key Set`);
  }
}
