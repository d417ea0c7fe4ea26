/** Ids of points: unsigned integers with UUIDs, as text. */
import { formatError, notImplemented, QdrantError } from "./qdrant-error.ts";

const UUID =
  /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;
const DIGITS = /^\d+$/;

/** Returns decimal digits or a UUID in its hyphenated lower-case form. */
export function pointIdOf(value: unknown): string {
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 0)
      throw formatError("data did not match any variant of untagged enum ExtendedPointId");
    if (!Number.isSafeInteger(value)) throw notImplemented("ids above 2^53");
    return String(value);
  }
  if (typeof value !== "string")
    throw formatError("data did not match any variant of untagged enum ExtendedPointId");
  const uuid = uuidOf(value);
  if (uuid === null) {
    throw formatError(
      `value ${value.slice(0, 100)} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
    );
  }
  return uuid;
}

/** The id as a step of a path, where a number is text. */
export function pointIdOfPath(text: string): string {
  if (DIGITS.test(text)) return pointIdOf(Number(text));
  const uuid = uuidOf(text);
  if (uuid === null) throw new QdrantError(400, `Can not recognize "${text.slice(0, 100)}" as point id`);
  return uuid;
}

/** The id as it goes into an answer. */
export function wireIdOf(id: string): string | number {
  return isNumeric(id) ? Number(id) : id;
}

/** Numbers before UUIDs, each ascending: the order of scroll. */
export function compareIds(left: string, right: string): number {
  const leftNumeric = isNumeric(left);
  if (leftNumeric !== isNumeric(right)) return leftNumeric ? -1 : 1;
  if (leftNumeric) return left.length - right.length || (left < right ? -1 : Number(left > right));
  return left < right ? -1 : Number(left > right);
}

/** A UUID has hyphens, so nothing else is all digits. */
function isNumeric(id: string): boolean {
  return id.length < 36;
}

function uuidOf(text: string): string | null {
  // The common form costs one test and no new text.
  const parts = UUID.exec(text);
  return parts === null ? null : parts.slice(1).join("-").toLowerCase();
}
