/** The content of a document as a caller gave it, with the network file's defaults. */
import type { Hmac } from "node:crypto";
import type { Network, TierName } from "@kattegat/config/network.ts";
import { mayPass } from "@kattegat/config/residency.ts";
import { carriedClasses, mayCarry } from "@kattegat/config/tenants.ts";
import type { DocumentInput } from "@kattegat/protocol/documents.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { IMPORTANCE_DEFAULT } from "../tiering/classify.ts";
import type { DocumentSeals } from "../sealing/document-seals.ts";
import { unitVector } from "./vectors.ts";

export interface GivenPassage {
  readonly text: string;
  readonly vector: Float32Array<ArrayBuffer> | null;
}

export interface DocumentContent {
  readonly id: string;
  readonly collection: string;
  readonly title: string;
  readonly text: string;
  readonly lang: string;
  readonly residency: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly importance: number;
  /** RFC 3339 in UTC. */
  readonly published_at: string | null;
  readonly pinned_tier: TierName | null;
  /** The caller's own passages; null when the text is to be split. */
  readonly passages: readonly GivenPassage[] | null;
  /** Of the vectors that came with them. */
  readonly model: string;
  /** HMAC-SHA-256 of all of the above and the model, in hexadecimal: equal digests need no write. */
  readonly digest: string;
}

/** Joins the caller's passages when no text came with them. */
const PASSAGE_SEPARATOR = "\n\n";

/**
 * Resolves the defaults of an input that came through `zone`.
 *
 * @throws {KattegatError} `unknown_residency`, `residency_refused`, `bad_vector`.
 */
export function contentOf(
  id: string,
  input: DocumentInput,
  {
    network,
    zone,
    seals,
  }: { readonly network: Network; readonly zone: string; readonly seals: Pick<DocumentSeals, "digest"> },
): DocumentContent {
  assertMayPass(input.residency, { network, zone });
  assertMayCarry(input, network);
  const given = input.passages ?? null;
  const passages =
    given?.map((passage, index) => ({
      text: passage.text,
      vector: vectorOf(passage.vector, { index, dimensions: network.embedding.dimensions }),
    })) ?? null;
  const content = {
    id,
    collection: input.collection,
    title: input.title,
    text: input.text ?? given?.map((passage) => passage.text).join(PASSAGE_SEPARATOR) ?? "",
    lang: input.lang ?? network.defaults.language,
    residency: input.residency,
    metadata: input.metadata,
    importance: input.importance ?? IMPORTANCE_DEFAULT,
    published_at:
      input.published_at === null || input.published_at === undefined
        ? null
        : new Date(input.published_at).toISOString(),
    pinned_tier: input.tier ?? null,
    passages,
  };
  const { model } = network.embedding;
  return { ...content, model, digest: digestOf(content, { model, hash: seals.digest() }) };
}

/** @throws {KattegatError} `unknown_residency` or `residency_refused`. */
export function assertMayPass(
  residency: string,
  { network, zone }: { readonly network: Network; readonly zone: string },
): void {
  if (!Object.hasOwn(network.classes, residency)) {
    const known = Object.keys(network.classes).join(", ");
    throw new KattegatError("unknown_residency", `Expected one of the residency classes ${known}.`, {
      errors: [{ pointer: "/residency", detail: `expected one of ${known}` }],
    });
  }
  if (mayPass(network, residency, zone)) return;
  throw new KattegatError(
    "residency_refused",
    `A document of class ${residency} may not pass through the zone ${zone}; use the host name of a zone that may carry it.`,
  );
}

/** A tenant's collection takes the tenant's classes alone. @throws {KattegatError} `residency_refused`. */
function assertMayCarry(
  { collection, residency }: Pick<DocumentInput, "collection" | "residency">,
  network: Network,
): void {
  if (mayCarry(network, collection, residency)) return;
  const allowed = carriedClasses(network, collection).join(", ");
  throw new KattegatError(
    "residency_refused",
    `The collection ${collection} takes documents of class ${allowed} alone; ${residency} is none of them.`,
    { errors: [{ pointer: "/residency", detail: `expected one of ${allowed}` }] },
  );
}

function vectorOf(
  vector: readonly number[] | null | undefined,
  { index, dimensions }: { readonly index: number; readonly dimensions: number },
): Float32Array<ArrayBuffer> | null {
  if (vector === null || vector === undefined) return null;
  const pointer = `/passages/${index}/vector`;
  if (vector.length !== dimensions) {
    throw new KattegatError(
      "bad_vector",
      `Expected a vector of ${dimensions} numbers at ${pointer}; ${vector.length} came.`,
      { errors: [{ pointer, detail: `expected ${dimensions} numbers` }] },
    );
  }
  const unit = unitVector(vector);
  if (unit === null)
    throw new KattegatError("bad_vector", `Expected finite numbers, not all zero, at ${pointer}.`, {
      errors: [{ pointer, detail: "expected finite numbers, not all zero" }],
    });
  return unit;
}

function digestOf(
  content: Omit<DocumentContent, "digest" | "model">,
  { model, hash }: { readonly model: string; readonly hash: Hmac },
): string {
  const { passages, metadata, ...fields } = content;
  hash.update(JSON.stringify([model, fields, sorted(metadata)]));
  for (const { text, vector } of passages ?? []) {
    hash.update(`${text.length}:`).update(text);
    if (vector !== null) hash.update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  }
  return hash.digest("hex");
}

/** The same metadata in another order is the same metadata. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => [key, sorted(child)]);
}
