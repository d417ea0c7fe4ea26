/** Distances on the globe. */

export interface Location {
  /** Degrees north. */
  readonly latitude: number;
  /** Degrees east. */
  readonly longitude: number;
}

/** Cloudflare locations that the network's callers meet most, for requests whose own place is not known. */
export const SEAT_OF_COLO: ReadonlyMap<string, Location> = new Map([
  ["CPH", { latitude: 55.6, longitude: 12.6 }],
  ["ARN", { latitude: 59.6, longitude: 17.9 }],
  ["OSL", { latitude: 60.2, longitude: 11.1 }],
  ["HEL", { latitude: 60.3, longitude: 25.0 }],
  ["HAM", { latitude: 53.6, longitude: 10.0 }],
  ["FRA", { latitude: 50.0, longitude: 8.6 }],
  ["AMS", { latitude: 52.3, longitude: 4.8 }],
  ["CDG", { latitude: 49.0, longitude: 2.5 }],
  ["LHR", { latitude: 51.5, longitude: -0.5 }],
  ["WAW", { latitude: 52.2, longitude: 21.0 }],
  ["MAD", { latitude: 40.5, longitude: -3.6 }],
  ["MXP", { latitude: 45.6, longitude: 8.7 }],
  ["VIE", { latitude: 48.1, longitude: 16.6 }],
  ["IAD", { latitude: 38.9, longitude: -77.5 }],
  ["SFO", { latitude: 37.6, longitude: -122.4 }],
  ["SIN", { latitude: 1.4, longitude: 104.0 }],
  ["NRT", { latitude: 35.8, longitude: 140.4 }],
  ["SYD", { latitude: -33.9, longitude: 151.2 }],
]);

const EARTH_RADIUS_KM = 6_371;

/** The great-circle distance in kilometres (haversine formula). */
export function distanceKm(from: Location, to: Location): number {
  const [a, b] = [radians(from.latitude), radians(to.latitude)];
  const half =
    Math.sin((b - a) / 2) ** 2 +
    Math.cos(a) * Math.cos(b) * Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(half)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
