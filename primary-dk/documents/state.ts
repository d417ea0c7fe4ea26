/** What the system of record knows of a document besides its text. */
import { TIER_NAMES, type TierName } from "@kattegat/config/network.ts";
import type postgres from "postgres";
import { KEY_COLUMNS, openHead, type DocumentSeals } from "../sealing/document-seals.ts";

export interface DocumentState {
  readonly id: string;
  readonly version: string;
  readonly sequence: string;
  readonly carried: string;
  readonly collection: string;
  readonly title: string;
  readonly lang: string | null;
  readonly residency: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly importance: number;
  readonly published_at: string | null;
  readonly pinned_tier: TierName | null;
  readonly tier: TierName;
  readonly moving_from: TierName | null;
  /** The sites where the last change planned the searchable copy. */
  readonly held: readonly string[];
  readonly predicted_use: number;
  readonly score: number;
  readonly observed_hits: number;
  readonly observed_at: Date | null;
  readonly digest: string;
  readonly passage_count: number;
  readonly created_at: Date;
}

/** What of a state stands in columns of its own; title and metadata are sealed together. */
const STATE_COLUMNS = [
  "id",
  "version",
  "sequence",
  "carried",
  "collection",
  "lang",
  "residency",
  "importance",
  "published_at",
  "pinned_tier",
  "tier",
  "moving_from",
  "held",
  "predicted_use",
  "score",
  "observed_hits",
  "observed_at",
  "digest",
  "passage_count",
  "created_at",
] as const satisfies readonly (keyof DocumentState)[];

/** The columns of a state with those of its key, in SQL: of `documents d` joined with `document_keys k`. */
export const SEALED_STATE = [...STATE_COLUMNS.map((column) => `d.${column}`), "d.head", ...KEY_COLUMNS];

/** The tables that `SEALED_STATE` is selected from, in SQL. */
export function sealedDocuments(
  sql: postgres.Sql | postgres.TransactionSql,
): postgres.PendingQuery<postgres.Row[]> {
  return sql`documents d join document_keys k on k.document_id = d.id`;
}

export function stateOfRow(row: postgres.Row, seals: DocumentSeals): DocumentState {
  const { id, version, sequence, carried, collection, lang, residency, importance, published_at } = row;
  const { held, predicted_use, score, observed_hits, observed_at, digest, passage_count, created_at } = row;
  const identity = { id, version, sequence, carried, collection, lang, residency, importance, published_at };
  const { title, metadata } = openHead(seals.keyOf(row), row["head"]);
  return {
    ...identity,
    title,
    metadata,
    held,
    predicted_use,
    score,
    observed_hits,
    observed_at,
    digest,
    passage_count,
    created_at,
    pinned_tier: row["pinned_tier"] === null ? null : tierNameOf(row["pinned_tier"]),
    tier: tierNameOf(row["tier"]),
    moving_from: row["moving_from"] === null ? null : tierNameOf(row["moving_from"]),
  };
}

/** The database's own text, checked: a tier that this release does not know is a fault of the deployment. */
export function tierNameOf(name: unknown): TierName {
  const tier = TIER_NAMES.find((known) => known === name);
  if (tier === undefined) throw new TypeError(`expected the name of a tier in Postgres, got ${String(name)}`);
  return tier;
}

/** The payload of every tier, without the texts, which are read from Postgres. */
export function payloadOf(state: DocumentState): Record<string, unknown> {
  return {
    document_id: state.id,
    version: state.version,
    collection: state.collection,
    residency: state.residency,
    tier: state.tier,
    lang: state.lang,
    ...(state.published_at === null ? {} : { published_at: state.published_at }),
    title: state.title,
    metadata: state.metadata,
  };
}
