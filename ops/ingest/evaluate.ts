/** Evaluation of a mapping on one record. */
import type { z } from "zod";
import { DOCUMENT_LIMITS } from "@kattegat/protocol/documents.ts";
import { MATCHED_CHARACTERS_MAX, type Condition, type Expression, type Mapping } from "./mapping.ts";

type Json = z.core.util.JSONType;

/** Undefined means that the record says nothing, so the network's default counts. */
export function evaluate(expression: Expression, record: unknown): Json | undefined {
  if ("value" in expression) return expression.value;
  if ("path" in expression) return present(fieldOf(record, expression.path)) ?? expression.default;
  if ("template" in expression) return fill(expression.template, record);
  if ("lookup" in expression) {
    const key = textOf(fieldOf(record, expression.lookup));
    return key !== undefined && Object.hasOwn(expression.table, key)
      ? expression.table[key]
      : expression.default;
  }
  const found = expression.cases.find(({ when }) => holds(when, record))?.then ?? expression.otherwise;
  return found === undefined ? undefined : evaluate(found, record);
}

export interface MappedRecord {
  /** A line of a batch; whether it is valid is for the network to say. */
  readonly document: Record<string, Json>;
  /** The id before it was put into the network's alphabet. */
  readonly sourceId: string | null;
}

export function mapRecord(mapping: Mapping, record: unknown): MappedRecord {
  const { version: _, description: __, id, title, passages, metadata, ...rest } = mapping;
  const document: Record<string, Json> = {};
  const idText = textOf(evaluate(id, record));
  if (idText !== undefined) document["id"] = cleanId(idText);
  const titleText = textOf(evaluate(title, record));
  if (titleText !== undefined) document["title"] = cut(titleText.trim(), DOCUMENT_LIMITS.titleCharactersMax);
  for (const [name, expression] of Object.entries(rest)) {
    const value = expression === undefined ? undefined : evaluate(expression, record);
    if (value !== undefined && value !== null) document[name] = value;
  }
  if (passages !== undefined) {
    const items = fieldOf(record, passages.each);
    const texts = (Array.isArray(items) ? items : []).map(
      (item: unknown) => textOf(evaluate(passages.text, item))?.trim() ?? "",
    );
    document["passages"] = texts.filter((text) => text !== "").map((text) => ({ text }));
  }
  if (metadata !== undefined) {
    const values = Object.entries(metadata).map(
      ([name, expression]) => [name, evaluate(expression, record)] as const,
    );
    document["metadata"] = Object.fromEntries(
      values.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined),
    );
  }
  return { document, sourceId: idText ?? null };
}

/**
 * The id in the network's alphabet: letters lose their accents, every other character outside A–Z a–z 0–9 . _ ~ -
 * becomes a hyphen. Two ids that become one are found by whoever reads the records.
 */
export function cleanId(id: string): string {
  const plain = id
    .trim()
    .replaceAll("æ", "ae")
    .replaceAll("Æ", "Ae")
    .replaceAll("ø", "oe")
    .replaceAll("Ø", "Oe")
    .replaceAll("å", "aa")
    .replaceAll("Å", "Aa")
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "");
  return cut(plain.replaceAll(/[^A-Za-z0-9._~-]/gu, "-"), ID_CHARACTERS_MAX);
}

const ID_CHARACTERS_MAX = 256;

function holds(condition: Condition, record: unknown): boolean {
  const value = fieldOf(record, condition.path);
  const text = textOf(value) ?? "";
  if (
    condition.is !== undefined &&
    ![condition.is].flat().some((wanted) => wanted === value || (value === undefined && wanted === null))
  )
    return false;
  if (
    condition.matches !== undefined &&
    !patternOf(condition.matches).test(text.slice(0, MATCHED_CHARACTERS_MAX))
  )
    return false;
  // Dates in ISO form compare as text; a record without the field is on neither side.
  if (condition.before !== undefined && !(text !== "" && text < condition.before)) return false;
  return condition.from === undefined || (text !== "" && text >= condition.from);
}

/** Compiled once for all records; the keys are those of the mapping file. */
const patterns = new Map<string, RegExp>();

function patternOf(source: string): RegExp {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  const made = new RegExp(source, "u");
  patterns.set(source, made);
  return made;
}

function fieldOf(record: unknown, path: string): unknown {
  let value = record;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function fill(template: string, record: unknown): string {
  return template.replaceAll(
    /\{([^{}]+)\}/g,
    (_, path: string) => textOf(fieldOf(record, path.trim())) ?? "",
  );
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function present(value: unknown): Json | undefined {
  return value === undefined || value === null || !isJson(value) ? undefined : value;
}

/** A record comes from `JSON.parse`, so an object in it holds JSON only. */
function isJson(value: unknown): value is Json {
  return value === null || ["string", "number", "boolean", "object"].includes(typeof value);
}

/** Cuts between characters, never inside a surrogate pair. */
function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax
    ? text
    : text
        .slice(0, charactersMax)
        .toWellFormed()
        .replace(/\uFFFD$/, "");
}
