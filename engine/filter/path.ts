type Json = Readonly<Record<string, unknown>>;

/** A payload key, taken apart once for many payloads. */
export type Path = readonly string[];

/** Takes a key apart: dots descend, `[]` goes into each element, a quoted part is taken as it stands: `metadata."a.b"`. */
export function parsePath(key: string): Path {
  return (key.match(/"[^"]*"|[^."[\]]+|\[\]/g) ?? []).map((part) => part.replaceAll('"', ""));
}

/** Returns every value that the path names; as in Qdrant, a path that ends at an array gives the array itself. */
export function valuesAt(payload: Json, path: Path): readonly unknown[] {
  let values: unknown[] = [payload];
  for (const part of path) {
    const next: unknown[] = [];
    for (const value of values) descend(value, part, next);
    if (next.length === 0) return next;
    values = next;
  }
  return values;
}

/** Returns the values that conditions are tried on: arrays are replaced by their elements. */
export function elementsAt(payload: Json, path: Path): readonly unknown[] {
  const values = valuesAt(payload, path);
  return values.some(Array.isArray) ? values.flat(1) : values;
}

/** Whether the value is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function descend(value: unknown, part: string, into: unknown[]): void {
  if (part === "[]") {
    if (Array.isArray(value)) into.push(...value);
  } else if (isJson(value) && Object.hasOwn(value, part)) {
    into.push(value[part]);
  }
}
