/** The key files of this process. */
import { readFile } from "node:fs/promises";
import type { JSONWebKeySet, JWK } from "jose";
import { z } from "zod";

const keySchema = z.object({ kty: z.string() }).catchall(z.string().or(z.array(z.string())));
const keysSchema = z.object({ keys: z.array(keySchema) });

export async function readKey(path: string): Promise<JWK> {
  return parsed(keySchema, path, await readFile(path, "utf8"));
}

export async function readKeys(path: string): Promise<JSONWebKeySet> {
  return parsed(keysSchema, path, await readFile(path, "utf8"));
}

/** The message names the file only: a parser's own would quote the key. */
function parsed<T>(schema: z.ZodType<T>, path: string, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path}: expected a JSON Web Key file`);
  }
}
