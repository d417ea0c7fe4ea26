/** Reading of untrusted JSON objects, field by field. */
import { formatError, notImplemented, validationError } from "./qdrant-error.ts";

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {QdrantError} 400 when the value is no object. */
export function objectOf(value: unknown, what: string): Json {
  if (isJson(value)) return value;
  throw formatError(`invalid type: ${kindOf(value)}, expected ${what}`);
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw formatError(`invalid type: ${kindOf(value)}, expected ${what}`);
}

export function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw formatError(`invalid type: ${kindOf(value)}, expected ${what}`);
}

/**
 * Refuses fields outside `known`, as Qdrant ignores or supports them where this server would give another answer.
 *
 * @throws {QdrantError} 501 that names the field.
 */
export function onlyFields(object: Json, known: readonly string[], where: string): void {
  for (const name in object) {
    if (!known.includes(name) && object[name] !== null)
      throw notImplemented(`the field \`${name}\` of ${where}`);
  }
}

/** Null and absent are the default; anything but an integer of at least `min` is an error. */
export function integerOf(
  object: Json,
  name: string,
  { fallback, min }: { readonly fallback: number; readonly min: number },
): number {
  const value = object[name] ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw formatError(`${name}: invalid type: ${kindOf(value)}, expected usize`);
  }
  if (value < min) throw validationError(name, `value ${value} invalid, must be ${min} or larger`);
  return value;
}

/** Null and absent are the default; anything but a number is an error. */
export function numberOf(object: Json, name: string, fallback: number): number {
  const value = object[name] ?? fallback;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw formatError(`${name}: invalid type: ${kindOf(value)}, expected f64`);
}

export function booleanOf(object: Json, name: string, fallback: boolean): boolean {
  const value = object[name] ?? fallback;
  if (typeof value === "boolean") return value;
  throw formatError(`${name}: invalid type: ${kindOf(value)}, expected a boolean`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "sequence";
  if (typeof value === "object") return "map";
  if (typeof value === "number")
    return Number.isInteger(value) ? `integer \`${value}\`` : `floating point \`${value}\``;
  return typeof value === "string" ? `string ${JSON.stringify(value.slice(0, 60))}` : `${typeof value}`;
}
