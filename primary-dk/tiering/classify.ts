/** Decides how fast a document must be found. */
import type { TierName } from "@kattegat/config/network.ts";

/** A law is looked up half as often when it is ten years older. */
export const RECENCY_HALF_LIFE_YEARS = 10;
/** Use is forgotten by half in a month, so that a case in the news leaves the hot tiers again. */
export const USE_HALF_LIFE_DAYS = 30;
/** So many recent hits say as much as certainty would: half of the way from the guess to 1. */
const HITS_HALFWAY = 20;
/** Used when the caller says nothing: neither promoted nor demoted. */
export const IMPORTANCE_DEFAULT = 0.5;

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;

export const TIER_ORDER = ["ultra-hot", "hot", "warm", "cold"] as const satisfies readonly TierName[];

export interface Observation {
  /** Hits, decayed to `atMs`. */
  readonly hits: number;
  readonly atMs: number;
}

/** Hits as they count at `nowMs`: a sum in which each hit halves every 30 days. */
export function decayedHits({ hits, atMs }: Observation, nowMs: number): number {
  return hits * 0.5 ** (Math.max(0, nowMs - atMs) / (USE_HALF_LIFE_DAYS * DAY_MS));
}

/**
 * How likely a document is to be asked for, from 0 to 1.
 *
 * The guess before any use is 0.5·recency + 0.5·importance; recency halves every 10 years and is 1 without a date.
 * Observed use closes a part of the distance to 1: hits / (hits + 20). Use never lowers the guess, since an edge that
 * reported nothing may have been away.
 */
export function predictedUse(
  document: {
    readonly importance: number;
    readonly publishedAtMs: number | null;
    readonly observed: Observation | null;
  },
  nowMs: number,
): number {
  const ageMs = document.publishedAtMs === null ? 0 : Math.max(0, nowMs - document.publishedAtMs);
  const recency = 0.5 ** (ageMs / (RECENCY_HALF_LIFE_YEARS * YEAR_MS));
  const guess = 0.5 * recency + 0.5 * document.importance;
  if (document.observed === null) return guess;
  const hits = decayedHits(document.observed, nowMs);
  return guess + (1 - guess) * (hits / (hits + HITS_HALFWAY));
}

/** What decides who stays when a tier is full; the lowest moves down. */
export function tierScore({
  importance,
  use,
}: {
  readonly importance: number;
  readonly use: number;
}): number {
  return 0.6 * importance + 0.4 * use;
}

/** The tier that importance and predicted use ask for, before any capacity. */
export function tierOf({ importance, use }: { readonly importance: number; readonly use: number }): TierName {
  if (importance > 0.9 && use > 0.8) return "ultra-hot";
  if (importance > 0.7) return "hot";
  return use > 0.5 ? "warm" : "cold";
}

/**
 * The tier that a document that stands in `current` should move to; `current` when it should stay.
 *
 * Hysteresis: it moves only when it would still be on the other side with its use 0.05 nearer to where it stands, so that
 * a value at a threshold does not copy the document to and fro. Importance changes only by a write and needs no margin.
 */
export function nextTier(
  current: TierName,
  { importance, use }: { readonly importance: number; readonly use: number },
): TierName {
  const asked = tierOf({ importance, use });
  const up = TIER_ORDER.indexOf(asked) < TIER_ORDER.indexOf(current);
  const doubted = tierOf({ importance, use: use + (up ? -USE_MARGIN : USE_MARGIN) });
  const isDoubtful = up
    ? TIER_ORDER.indexOf(doubted) >= TIER_ORDER.indexOf(current)
    : TIER_ORDER.indexOf(doubted) <= TIER_ORDER.indexOf(current);
  if (asked === current || !isDoubtful) return asked;
  return current;
}

const USE_MARGIN = 0.05;

/** The tier that a full tier's lowest documents move to; null below the last, which has to take them. */
export function tierBelow(tier: TierName): TierName | null {
  return TIER_ORDER[TIER_ORDER.indexOf(tier) + 1] ?? null;
}
