/** Estimates of how long things are as JSON. */
import type { DocumentRecord } from "@kattegat/protocol/changes.ts";
import type { PassagePoint } from "../qdrant/passage-point.ts";
import { DENSE } from "../qdrant/schema.ts";

/** A float is printed with up to 21 characters, and a comma. */
const FLOAT_BYTES = 22;
/** A term id of ten digits, and its weight. */
const TERM_BYTES = 12 + FLOAT_BYTES;
/** Names of the payload's fields with the short values. */
const FIELDS_BYTES = 1_000;
/** UTF-8 with escapes: more than two only for control characters and scripts whose texts are shorter. */
const CHARACTER_BYTES = 2;
/** Base64 gives three bytes in four characters; a number has four bytes. */
const NUMBERS_PER_CHARACTER = 3 / 16;

export const ID_BYTES = 40;
export const TOMBSTONE_BYTES = 500;

export function documentBytes({ title, metadata, passages }: DocumentRecord): number {
  const shared = FIELDS_BYTES + CHARACTER_BYTES * (title.length + JSON.stringify(metadata).length);
  return passages.reduce((sum, { text, dense, sparse }) => {
    const numbers = NUMBERS_PER_CHARACTER * (FLOAT_BYTES * dense.length + TERM_BYTES * sparse.indices.length);
    return sum + shared + numbers + CHARACTER_BYTES * text.length;
  }, 0);
}

export function pointBytes({ vector, payload }: PassagePoint): number {
  const dense = vector[DENSE];
  const terms = Object.values(vector).reduce(
    (sum, one) => sum + (Array.isArray(one) ? 0 : one.indices.length),
    0,
  );
  const texts = [payload["title"], payload["text"], JSON.stringify(payload["metadata"])];
  const characters = texts.reduce<number>(
    (sum, text) => sum + (typeof text === "string" ? text.length : 0),
    0,
  );
  return (
    FIELDS_BYTES +
    FLOAT_BYTES * (Array.isArray(dense) ? dense.length : 0) +
    TERM_BYTES * terms +
    CHARACTER_BYTES * characters
  );
}
