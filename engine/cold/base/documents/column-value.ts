/** The text by which a column knows a JSON value. */
import { compareCodeUnits } from "../../../index/ranking.ts";
import { isJson } from "../../../filter/path.ts";

/** Text of a document that has no value: no JSON text is empty. */
export const ABSENT = "";

/** Kinds of value in the order in which a column lists them; the first four have one value each. */
export const RANK = { absent: 0, null: 1, false: 2, true: 3, number: 4, string: 5, composite: 6 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

/** Returns the value as JSON whose keys are in the order of their code units, so that equal values have one text. */
export function canonicalJson(value: unknown): string {
  if (value === undefined) return ABSENT;
  if (Array.isArray(value))
    return `[${value.map((item: unknown) => canonicalJson(item) || "null").join(",")}]`;
  if (!isJson(value)) return JSON.stringify(value) ?? ABSENT;
  const fields: string[] = [];
  for (const key of Object.keys(value).toSorted(compareCodeUnits)) {
    const text = canonicalJson(value[key]);
    if (text !== ABSENT) fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(",")}}`;
}

/** Returns the kind of the value that has this text. */
export function rankOf(text: string): Rank {
  switch (text[0]) {
    case undefined:
      return RANK.absent;
    case "n":
      return RANK.null;
    case "f":
      return RANK.false;
    case "t":
      return RANK.true;
    case '"':
      return RANK.string;
    case "[":
    case "{":
      return RANK.composite;
    default:
      return RANK.number;
  }
}

/** Orders texts of one kind: numbers by size, all others by code unit. */
export function compareTexts(rank: Rank, left: string, right: string): number {
  return rank === RANK.number ? Number(left) - Number(right) : compareCodeUnits(left, right);
}
