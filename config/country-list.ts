/** Finds countries in the lists of a network file. */
import type { Day } from "./day.ts";
import { ALWAYS, NEVER, later } from "./day.ts";
import type { Network } from "./network.ts";
import { ANYWHERE } from "./residency-class.ts";

type Groups = Pick<Network, "country_groups">;

/** What is known of a caller: Cloudflare says "XX" for an unknown country, "T1" for Tor, sometimes nothing. */
export type CallerCountry = string | null | undefined;

/** Until when one of the entries stands for this country. */
export function listedUntil(network: Groups, entries: readonly string[], country: CallerCountry): Day {
  let until = NEVER;
  for (const entry of entries) {
    until = later(until, entryUntil(network, entry, country));
    if (until === ALWAYS) break;
  }
  return until;
}

/** Until when personal data may flow to this country without a basis of its own: it is in the EU, the EEA, or adequate. */
export function freeFlowUntil(network: Groups, country: CallerCountry): Day {
  let until = NEVER;
  for (const name in network.country_groups) {
    if (network.country_groups[name]?.free_flow !== true) continue;
    until = later(until, entryUntil(network, name, country));
    if (until === ALWAYS) break;
  }
  return until;
}

/** Entries that are neither a known group nor equal to the country match nothing, so a misspelt group refuses. */
function entryUntil(network: Groups, entry: string, country: CallerCountry): Day {
  if (entry === ANYWHERE) return ALWAYS;
  if (typeof country !== "string") return NEVER;
  if (!Object.hasOwn(network.country_groups, entry)) return entry === country ? ALWAYS : NEVER;
  const group = network.country_groups[entry];
  if (group === undefined || !group.countries.includes(country)) return NEVER;
  return group.until?.[country] ?? ALWAYS;
}

/** Says which entry stands for the country, or what is known of why none does. */
export function tellListing(network: Groups, entries: readonly string[], country: CallerCountry): string {
  const name = country ?? "an unknown country";
  const until = listedUntil(network, entries, country);
  const entry = entries.find((candidate) => entryUntil(network, candidate, country) === until);
  if (until === NEVER || entry === undefined) {
    const partial = entries
      .map((candidate) =>
        typeof country === "string" ? groupOf(network, candidate)?.partial?.[country] : undefined,
      )
      .find((found) => found !== undefined);
    const because =
      partial === undefined ? "" : ` (${partial.reference} lists it in part: ${partial.reason})`;
    return `${name} is not in ${entries.length === 0 ? "an empty list" : entries.join(", ")}${because}`;
  }
  if (entry === ANYWHERE) return "every country is listed";
  const group = groupOf(network, entry);
  if (group === undefined) return `${name} is listed by itself`;
  const source = (typeof country === "string" ? group.references?.[country] : undefined) ?? group.source;
  return `${name} is in ${entry} (${source})${until === ALWAYS ? "" : ` until ${until}`}`;
}

function groupOf(
  { country_groups: groups }: Groups,
  name: string,
): Network["country_groups"][string] | undefined {
  return Object.hasOwn(groups, name) ? groups[name] : undefined;
}
