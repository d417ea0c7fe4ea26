import type { Condition } from "@kattegat/protocol/filter.ts";

type Match = Extract<Condition, { match: unknown }>["match"];
type Range = Extract<Condition, { range: unknown }>["range"];
type ValuesCount = Extract<Condition, { values_count: unknown }>["values_count"];

/** Tests one value of a field; a field passes when one of its values does. */
export type ValueTest = (value: unknown) => boolean;

/** Returns the test of a `match`. */
export function compileMatch(match: Match): ValueTest {
  if ("value" in match) return (value) => value === match.value;
  if ("any" in match) {
    const wanted = new Set<unknown>(match.any);
    return (value) => wanted.has(value);
  }
  if ("except" in match) {
    const unwanted = new Set<unknown>(match.except);
    return (value) => value !== null && value !== undefined && !unwanted.has(value);
  }
  return (value) => typeof value === "string" && value.includes(match.text);
}

/** Returns the test of a `range` of numbers or of times. */
export function compileRange(range: Range): ValueTest {
  const bounds = [range.gt, range.gte, range.lt, range.lte];
  const isTime = bounds.some((bound) => typeof bound === "string");
  const [gt, gte, lt, lte] = bounds.map((bound) =>
    typeof bound === "string" ? Date.parse(bound) : (bound ?? null),
  );
  return (value) => {
    const number = isTime ? timeOf(value) : value;
    if (typeof number !== "number" || Number.isNaN(number)) return false;
    return (
      (gt === null || gt === undefined || number > gt) &&
      (gte === null || gte === undefined || number >= gte) &&
      (lt === null || lt === undefined || number < lt) &&
      (lte === null || lte === undefined || number <= lte)
    );
  };
}

/** RFC 3339; a date alone is midnight in UTC, as in Qdrant. */
const TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

function timeOf(value: unknown): number | null {
  if (typeof value !== "string" || !TIME.test(value)) return null;
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(value.slice(10));
  return Date.parse(value.length === 10 || hasZone ? value : `${value}Z`);
}

/** Returns the test of a `values_count`: an array counts its elements, any other value is one, null is none. */
export function compileValuesCount({ gt, gte, lt, lte }: ValuesCount): ValueTest {
  return (value) => {
    if (value === null) return false;
    const count = Array.isArray(value) ? value.length : 1;
    return (
      (gt === undefined || count > gt) &&
      (gte === undefined || count >= gte) &&
      (lt === undefined || count < lt) &&
      (lte === undefined || count <= lte)
    );
  };
}

/** Whether Qdrant's `is_empty` counts the value as nothing. */
export function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}
