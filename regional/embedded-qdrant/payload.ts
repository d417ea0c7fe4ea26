/** Payloads of points: which part is answered, how a part is replaced. */
import { isJson, listOf, objectOf, onlyFields, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import { formatError, notImplemented } from "./qdrant-error.ts";

export type PayloadSelector = (payload: Json) => Json | null;

/** Reads `with_payload`: a boolean, a list of keys, or `{ include }` or `{ exclude }`. */
export function selectorOf(value: unknown, fallback: boolean): PayloadSelector {
  const given = value ?? fallback;
  if (given === true) return (payload) => payload;
  if (given === false) return () => null;
  if (Array.isArray(given)) return including(pathsOf(given));
  const source = objectOf(given, "enum WithPayloadInterface");
  onlyFields(source, ["include", "exclude"], "with_payload");
  if ((source["include"] ?? null) !== null) return including(pathsOf(source["include"]));
  if ((source["exclude"] ?? null) !== null) return excluding(pathsOf(source["exclude"]));
  throw formatError("data did not match any variant of untagged enum WithPayloadInterface");
}

function pathsOf(value: unknown): readonly (readonly string[])[] {
  return listOf(value, "a sequence of keys").map((key) => {
    const text = textOf(key, "a payload key");
    if (text.includes("[") || text.includes('"'))
      throw notImplemented("array steps and quotes in payload keys of with_payload");
    return text.split(".");
  });
}

function including(paths: readonly (readonly string[])[]): PayloadSelector {
  return (payload) => {
    const selected: Record<string, unknown> = {};
    for (const path of paths) {
      const [name] = path;
      if (path.length === 1 && name !== undefined) {
        if (Object.hasOwn(payload, name)) selected[name] = payload[name];
        continue;
      }
      copyPath(payload, selected, path);
    }
    return selected;
  };
}

function copyPath(from: Json, into: Record<string, unknown>, [name, ...rest]: readonly string[]): void {
  if (name === undefined || !Object.hasOwn(from, name)) return;
  const value = from[name];
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  if (!isJson(value)) return;
  const before = into[name];
  const inner: Record<string, unknown> = isJson(before) ? { ...before } : {};
  copyPath(value, inner, rest);
  into[name] = inner;
}

function excluding(paths: readonly (readonly string[])[]): PayloadSelector {
  return (payload) => paths.reduce<Json>(without, payload);
}

function without(payload: Json, [name, ...rest]: readonly string[]): Json {
  if (name === undefined || !Object.hasOwn(payload, name)) return payload;
  if (rest.length === 0) {
    const { [name]: _, ...others } = payload;
    return others;
  }
  const inner = payload[name];
  return isJson(inner) ? { ...payload, [name]: without(inner, rest) } : payload;
}
