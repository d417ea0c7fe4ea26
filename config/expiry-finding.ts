/** Warns of what ends on a day. */
import type { Finding } from "./finding.ts";

/** A decision of the Commission takes about half a year to renew. */
const EXPIRY_DAYS_AHEAD = 180;
const DAY_MS = 86_400_000;

export function expiryFinding(
  until: string,
  {
    today,
    where,
    what,
    renewed,
  }: { readonly today: string; readonly where: string; readonly what: string; readonly renewed: string },
): readonly Finding[] {
  const left = daysBetween(today, until);
  if (left > EXPIRY_DAYS_AHEAD) return [];
  const found =
    left < 0
      ? `expired on ${until}: ${what} is refused`
      : `expires in ${left} days, on ${until}; then ${what} is refused`;
  return [{ severity: "warning", where, found, write: `a later date if ${renewed}` }];
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}
