/** What the system of record knows of a document besides its text. */
import { TIER_NAMES, type TierName } from "@kattegat/config/network.ts";

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
  readonly predicted_use: number;
  readonly score: number;
  readonly observed_hits: number;
  readonly observed_at: Date | null;
  readonly digest: string;
  readonly passage_count: number;
  readonly created_at: Date;
}

/** The columns of a state, in SQL. */
export const STATE_COLUMNS = [
  "id",
  "version",
  "sequence",
  "carried",
  "collection",
  "title",
  "lang",
  "residency",
  "metadata",
  "importance",
  "published_at",
  "pinned_tier",
  "tier",
  "moving_from",
  "predicted_use",
  "score",
  "observed_hits",
  "observed_at",
  "digest",
  "passage_count",
  "created_at",
] as const satisfies readonly (keyof DocumentState)[];

/** The database's own text, checked: a tier that this release does not know is a fault of the deployment. */
export function tierNameOf(name: unknown): TierName {
  const tier = TIER_NAMES.find((known) => known === name);
  if (tier === undefined) throw new TypeError(`expected the name of a tier in Postgres, got ${String(name)}`);
  return tier;
}
