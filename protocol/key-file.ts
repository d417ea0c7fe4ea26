/** Keys of site tokens as their files hold them. */
import type { JSONWebKeySet, JWK } from "jose";
import { z } from "zod";

const keySchema = z.object({ kty: z.string() }).catchall(z.string().or(z.array(z.string())));
const keySetSchema = z.object({ keys: z.array(keySchema) });

/** Returns the private key of a process; `path` is for the message. */
export function parseKey(text: string, path: string): JWK {
  return parsed(keySchema, text, `${path}: expected a JSON Web Key`);
}

/** Returns the public keys of those who may send; `path` is for the message. */
export function parseKeySet(text: string, path: string): JSONWebKeySet {
  return parsed(keySetSchema, text, `${path}: expected a JSON Web Key Set`);
}

/** The message names the file only: a parser's own would quote the key (I17). */
function parsed<T>(schema: z.ZodType<T>, text: string, message: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(message);
  }
}
