type Json = Readonly<Record<string, unknown>>;

/**
 * Returns every value that a payload key names: dots descend, `[]` descends into each element of an array.
 *
 * As in Qdrant, a key whose end is an array gives the array itself; conditions then look at its elements.
 */
export function valuesAt(payload: Json, key: string): readonly unknown[] {
  // Nearly every key is one plain name.
  if (!key.includes(".") && !key.includes("[")) return Object.hasOwn(payload, key) ? [payload[key]] : [];
  // A quoted part is taken as it stands, dots included: `metadata."a.b"`.
  const parts = key.match(/"[^"]*"|[^."[\]]+|\[\]/g) ?? [];
  let values: unknown[] = [payload];
  for (const part of parts) {
    const next: unknown[] = [];
    for (const value of values) descend(value, part.replaceAll('"', ""), next);
    values = next;
  }
  return values;
}

/** Returns the values that conditions are tried on: arrays are replaced by their elements. */
export function elementsAt(payload: Json, key: string): readonly unknown[] {
  const values = valuesAt(payload, key);
  return values.some(Array.isArray) ? values.flat(1) : values;
}

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
