/** Ids of a regional site's points: UUIDs of names, the same at every site. */
import { parse, v5 } from "uuid";

/** Fixed for ever: another one would make every point unfindable. */
const NAMESPACE = parse("7b1f3ad2-5c0e-5b8e-9f43-6d1c62f0a7b4");

export function passagePointId(documentId: string, ordinal: number): string {
  return v5(`${documentId}#${ordinal}`, NAMESPACE);
}

/** A slash is in no document id, so these meet no passage. */
export const WATERMARK_POINT_ID = v5("/watermark", NAMESPACE);

/** Says of which model the vectors are. */
export const MODEL_POINT_ID = v5("/model", NAMESPACE);

export function tombstonePointId(documentId: string): string {
  return v5(`/tombstone/${documentId}`, NAMESPACE);
}
