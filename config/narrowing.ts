/** Finds in what respect one class is wider than another. */
import { USES } from "./conditions.ts";
import type { Place, ResidencyRules, Use } from "./conditions.ts";
import { COUNTRY_CODES } from "./country.ts";
import type { Day } from "./day.ts";
import { ALWAYS, NEVER } from "./day.ts";
import type { ResidencyClass } from "./network.ts";
import { ZONES } from "./residency-class.ts";
import { allowedUntil } from "./residency.ts";
import { keptFor } from "./retention.ts";

export interface Widening<Key extends string = Use | ConditionKey> {
  /** The key of the class under which it is wider. */
  readonly key: Key;
  readonly says: string;
}

export type ConditionKey = "operators" | "personal_data" | "stays_in" | "retention";

/** Whoever runs it: operators are compared by the law that they exclude. */
const NOBODY = { name: "nobody", jurisdictions: [] };

/** Every place that a rule can tell apart: each country, one that is unknown, each zone. */
export const PLACES: readonly (Place & { readonly name: string })[] = [
  ...COUNTRY_CODES.map((country) => ({ name: country, country, operator: NOBODY })),
  { name: "unknown countries", country: null, operator: NOBODY },
  ...ZONES.map((zone) => ({ name: `the zone ${zone}`, zone, operator: NOBODY })),
];

/**
 * Proves that `narrow` is a subset of `wide` by asking both every question that there is, for every day: what ends with a
 * country's listing is compared by its last day.
 *
 * Empty when it is one.
 */
export function wideningsOf(
  network: ResidencyRules,
  { narrow, wide }: { readonly narrow: string; readonly wide: string },
): readonly Widening[] {
  const own = network.classes[narrow];
  const base = network.classes[wide];
  if (own === undefined || base === undefined) return [];
  return [
    ...USES.flatMap((use) => reachWidenings(network, { narrow, wide, use })),
    ...conditionWidenings(own, base),
  ];
}

function reachWidenings(
  network: ResidencyRules,
  { narrow, wide, use }: { readonly narrow: string; readonly wide: string; readonly use: Use },
): readonly Widening[] {
  const wider = PLACES.flatMap((place) => {
    const until = allowedUntil(network, { className: narrow, use, place });
    const limit = allowedUntil(network, { className: wide, use, place });
    return until > limit
      ? [`${place.name}${until === ALWAYS && limit === NEVER ? "" : ` ${span(until, limit)}`}`]
      : [];
  });
  if (wider.length === 0) return [];
  const shown = wider.slice(0, SHOWN_MAX).join(", ");
  const rest = wider.length > SHOWN_MAX ? ` and ${wider.length - SHOWN_MAX} more` : "";
  return [{ key: use, says: `${shown}${rest}` }];
}

/** Enough to recognise a group of countries by. */
const SHOWN_MAX = 5;

function span(until: Day, limit: Day): string {
  const end = until === ALWAYS ? "without end" : `until ${until}`;
  return limit === NEVER ? end : `${end} instead of ${limit}`;
}

/** What the questions of one place do not show: the law of operators, personal data, retention. */
export function conditionWidenings(
  own: ResidencyClass,
  base: ResidencyClass,
): readonly Widening<ConditionKey>[] {
  const widenings: Widening<ConditionKey>[] = [];
  const missing = (base.operators?.exclude_law ?? []).filter(
    (law) => own.operators?.exclude_law.includes(law) !== true,
  );
  if (missing.length > 0)
    widenings.push({ key: "operators", says: `operators under the law of ${missing.join(", ")}` });
  if (base.personal_data !== false && own.personal_data === false)
    widenings.push({ key: "personal_data", says: "transfers without a basis: personal_data is false" });
  if (base.stays_in !== undefined && own.stays_in?.country !== base.stays_in.country)
    widenings.push({ key: "stays_in", says: `copies outside ${base.stays_in.country}` });
  const longer = keptFor(own, base);
  return longer === null ? widenings : [...widenings, { key: "retention", says: longer }];
}
