/** What a point of the store says of the copy that it belongs to. */
import {
  contentDigest,
  damageDigest,
  keyOf,
  passageDigest,
  sumOf,
} from "@kattegat/engine/digests/copy-digest.ts";
import type { QdrantClient } from "@qdrant/js-client-rest";
import { holdingSchema } from "../apply/holding.ts";
import { HOLDING } from "../qdrant/passage-point.ts";
import { passagePointId } from "../qdrant/point-id.ts";
import { DENSE, LEXICAL } from "../qdrant/schema.ts";
import { SEAL, sealOf } from "../qdrant/seal.ts";
import type { ObservedPoint } from "./observed-copies.ts";

export type StoredPoint = Awaited<ReturnType<QdrantClient["scroll"]>>["points"][number];

export interface PointReading {
  readonly documentId: string;
  readonly version: string;
  readonly residency: string;
  /** Of the copy, at its first passage. */
  readonly content: { readonly digest: string; readonly passages: number } | null;
  /** Whether it is in its place and as it was stored once. */
  readonly isSound: boolean;
}

/** A point that something else has written may lack everything: then its own id names it. */
export function readPoint({ id, payload, vector }: StoredPoint): PointReading {
  const told = payload ?? {};
  const text = (key: string): string | null => {
    const value = told[key];
    return typeof value === "string" ? value : null;
  };
  const documentId = text("document_id");
  const { ordinal } = told;
  const holding = holdingSchema.safeParse(told[HOLDING]).data;
  const isInPlace =
    documentId !== null && typeof ordinal === "number" && passagePointId(documentId, ordinal) === String(id);
  return {
    documentId: documentId ?? `(point ${id})`,
    version: text("version") ?? "none",
    residency: text("residency") ?? "none",
    content: holding === undefined ? null : { digest: holding.digest, passages: holding.passages },
    isSound: isInPlace && told[SEAL] === sealOf({ payload: told, ...vectorsOf(vector) }),
  };
}

/** What the point adds to the digest of its copy. */
export function observed(point: StoredPoint): ObservedPoint {
  const reading = readPoint(point);
  const { documentId, isSound, content } = reading;
  const sound = content === null ? 0n : contentDigest({ ...reading, ...content });
  return {
    key: keyOf(documentId),
    point: pointNumber(String(point.id)),
    digest: isSound
      ? sumOf(passageDigest(reading), sound)
      : damageDigest(String(point.id), JSON.stringify(reading)),
  };
}

/** Points of other writers may have numbers for ids; those of copies are UUIDs. */
export function pointNumber(id: string): bigint {
  return id.includes("-") ? BigInt(`0x${id.replaceAll("-", "")}`) : BigInt(id);
}

/** A number that fits 64 bits was one; a UUID of ours has its version beyond them. */
export function pointName(point: bigint): string | number {
  if (point < 1n << 64n) return Number(point);
  const text = point.toString(16).padStart(32, "0");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    "-",
  );
}

function vectorsOf(vector: StoredPoint["vector"]): {
  readonly dense: readonly number[];
  readonly indices: readonly number[];
  readonly values: readonly number[];
} {
  const named: Readonly<Record<string, unknown>> =
    typeof vector === "object" && vector !== null && !Array.isArray(vector) ? vector : {};
  const dense = named[DENSE];
  const sparse = named[LEXICAL];
  return {
    dense: numbersIn(dense),
    indices: numbersIn(fieldOf(sparse, "indices")),
    values: numbersIn(fieldOf(sparse, "values")),
  };
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && key in value ? Reflect.get(value, key) : [];
}

function numbersIn(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((each): each is number => typeof each === "number") : [];
}
