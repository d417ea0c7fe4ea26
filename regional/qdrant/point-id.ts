/** Ids of a regional site's points: UUIDs of names, the same at every site. */
import { parse, v5 } from "uuid";

/** Fixed for ever: another one would make every point unfindable. */
const NAMESPACE = parse("7b1f3ad2-5c0e-5b8e-9f43-6d1c62f0a7b4");

/** Names as bytes: the package takes longer to make them than to hash them. */
function idOf(name: string): string {
  return v5(Buffer.from(name), NAMESPACE);
}

export function passagePointId(documentId: string, ordinal: number): string {
  return idOf(`${documentId}#${ordinal}`);
}

/** A slash is in no document id, so these meet no passage. */
export const WATERMARK_POINT_ID = idOf("/watermark");

/** Says of which model the vectors are. */
export const MODEL_POINT_ID = idOf("/model");

export function tombstonePointId(documentId: string): string {
  return idOf(`/tombstone/${documentId}`);
}
