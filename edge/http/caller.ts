/** Where a caller is. */
import { SEAT_OF_COLO, type Location } from "../search/geography.ts";

export interface Caller {
  /** ISO 3166-1 code as Cloudflare says it, null when unknown. */
  readonly country: string | null;
  /** The Cloudflare location that took the request; each has a cache of its own. */
  readonly colo: string;
  readonly location: Location | null;
}

const LOCAL_COUNTRY = "DK";
const LOCAL_COLO = "CPH";
const COUNTRY = /^[A-Z][A-Z0-9]$/;
const COLO = /^[A-Z]{3}$/;

export function callerOf(request: Request, { isLocal }: { readonly isLocal: boolean }): Caller {
  if (isLocal) {
    const country = request.headers.get("x-kattegat-caller-country")?.toUpperCase() ?? LOCAL_COUNTRY;
    const colo = request.headers.get("x-kattegat-caller-colo")?.toUpperCase() ?? LOCAL_COLO;
    const known = COLO.test(colo) ? colo : LOCAL_COLO;
    return {
      country: COUNTRY.test(country) ? country : null,
      colo: known,
      location: SEAT_OF_COLO.get(known) ?? null,
    };
  }
  const place: unknown = request.cf;
  const country = textOf(place, "country");
  const colo = textOf(place, "colo") ?? "";
  return {
    country: country !== null && COUNTRY.test(country) ? country : null,
    colo: COLO.test(colo) ? colo : "XXX",
    location: locationOf(place) ?? SEAT_OF_COLO.get(colo) ?? null,
  };
}

function textOf(place: unknown, name: string): string | null {
  if (typeof place !== "object" || place === null) return null;
  const value: unknown = Object.entries(place).find(([key]) => key === name)?.[1];
  return typeof value === "string" ? value : null;
}

function locationOf(place: unknown): Location | null {
  const latitude = Number.parseFloat(textOf(place, "latitude") ?? "");
  const longitude = Number.parseFloat(textOf(place, "longitude") ?? "");
  return Number.isFinite(latitude) && Number.isFinite(longitude) ? { latitude, longitude } : null;
}
