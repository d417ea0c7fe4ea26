/** The conditions under which the law allows a copy, a passage, a cached result or an answer. */
import { freeFlowUntil, listedUntil, tellListing } from "./country-list.ts";
import type { CallerCountry } from "./country-list.ts";
import type { Day } from "./day.ts";
import { ALWAYS, NEVER, earlier, later } from "./day.ts";
import type { Network, ResidencyClass, Site } from "./network.ts";
import { ANYWHERE, ZONES } from "./residency-class.ts";

/** The parts of the network file that decide. */
export type ResidencyRules = Pick<Network, "sites" | "classes" | "country_groups">;

/** Where something rests, passes or is read: a site, a destination beside the sites, or a caller. */
export interface Place {
  /** Set for a zone of the edge, which has no country. */
  readonly zone?: string | undefined;
  readonly country?: CallerCountry;
  readonly operator?: Site["operator"];
}

export interface Question {
  readonly network: ResidencyRules;
  readonly rules: ResidencyClass;
  readonly place: Place;
}

/** What a rule says of a question, with the words of the file. */
export interface Telling {
  /** The key of the class that says it. */
  readonly key: string;
  readonly says: string;
  readonly reason?: string | undefined;
  readonly reference?: string | undefined;
}

export interface Condition {
  /** The last day on which it is met. */
  readonly until: (question: Question) => Day;
  /** Null when the class does not have this condition. */
  readonly tell: (question: Question) => Telling | null;
}

type PlaceKey = "store" | "transit" | "cache";

/** The zone or the country is listed under this key; nothing that is not listed is allowed. */
function listed(key: PlaceKey): Condition {
  const entries = (rules: ResidencyClass): readonly string[] => (key === "cache" ? [] : rules[key].countries);
  return {
    until: ({ network, rules, place }) => {
      if (place.zone !== undefined) return listsZone(rules[key].zones, place.zone) ? ALWAYS : NEVER;
      return listedUntil(network, entries(rules), place.country);
    },
    tell: ({ network, rules, place }) => {
      const { reason, reference } = rules[key];
      const says =
        place.zone === undefined
          ? tellListing(network, entries(rules), place.country)
          : `the zone ${place.zone} is ${listsZone(rules[key].zones, place.zone) ? "" : "not "}listed`;
      return { key, says, reason, reference };
    },
  };
}

const served: Condition = {
  until: ({ network, rules, place }) => listedUntil(network, rules.serve.countries, place.country),
  tell: ({ network, rules: { serve }, place }) => ({
    key: "serve",
    says: tellListing(network, serve.countries, place.country),
    reason: serve.reason,
    reference: serve.reference,
  }),
};

/** A data centre in the EU does not take its operator out of the law of its seat. */
const operated: Condition = {
  until: ({ rules: { operators }, place }) => {
    if (operators === undefined) return ALWAYS;
    const { operator } = place;
    if (operator === undefined) return NEVER;
    return operator.jurisdictions.some((law) => operators.exclude_law.includes(law)) ? NEVER : ALWAYS;
  },
  tell: ({ rules: { operators }, place: { operator } }) => {
    if (operators === undefined) return null;
    const excluded = operators.exclude_law.join(", ");
    const says =
      operator === undefined
        ? `no operator is named, and operators under the law of ${excluded} are excluded`
        : `the operator ${operator.name} is under the law of ${operator.jurisdictions.join(", ")}; excluded is ${excluded}`;
    return { key: "operators", says, reason: operators.reason, reference: operators.reference };
  },
};

/** No zone of the edge is one country, so nothing that must stay in a country rests in one. */
const stays: Condition = {
  until: ({ rules: { stays_in }, place }) =>
    stays_in === undefined || (place.zone === undefined && place.country === stays_in.country)
      ? ALWAYS
      : NEVER,
  tell: ({ rules: { stays_in }, place }) =>
    stays_in === undefined
      ? null
      : {
          key: "stays_in",
          says: `every copy stays in ${stays_in.country}; this is ${place.zone === undefined ? (place.country ?? "no country") : `the zone ${place.zone}`}`,
          reason: stays_in.reason,
          reference: stays_in.reference,
        },
};

const passes: Condition = {
  until: (question) => (question.rules.stays_in?.allows_transit === true ? ALWAYS : stays.until(question)),
  tell: (question) => {
    const told = stays.tell(question);
    return told !== null && question.rules.stays_in?.allows_transit === true
      ? { ...told, says: `${told.says}, through whose memory the content may pass` }
      : told;
  },
};

/** Chapter V GDPR: personal data leaves the EU, the EEA and the adequate countries on a named basis only. */
const transferred: Condition = {
  until: (question) => {
    if (question.rules.personal_data === false) return ALWAYS;
    const free = freeUntil(question);
    return free === ALWAYS ? ALWAYS : later(free, basisOf(question)?.until ?? NEVER);
  },
  tell: (question) => {
    const { personal_data: personal } = question.rules;
    if (personal === false) return null;
    const free = freeUntil(question);
    const basis = free === ALWAYS ? undefined : basisOf(question);
    if (basis !== undefined && basis.until > free) {
      const { basis: provision, reason, reference } = basis.transfer;
      const ends = basis.until === ALWAYS ? "" : ` until ${basis.until}`;
      return { key: "transfers", says: `a transfer by ${provision}${ends}`, reason, reference };
    }
    if (free !== NEVER)
      return {
        key: "personal_data",
        says: "personal data flows freely there",
        reference: "Art. 44 and 45 GDPR",
      };
    const holds = personal === true ? "the class holds personal data" : "the class may hold personal data";
    return {
      key: "transfers",
      says: `${holds}, and its transfer there, outside the EU, the EEA and the adequate countries, has no basis`,
      reference: "Art. 44 GDPR",
    };
  },
};

const kept: Condition = {
  until: ({ rules }) => rules.retention?.until ?? ALWAYS,
  tell: ({ rules: { retention } }) =>
    retention?.until === undefined
      ? null
      : {
          key: "retention",
          says: `documents are kept until ${retention.until}`,
          reason: retention.reason,
          reference: retention.reference,
        },
};

/** What a class may be put to at a place: a copy rests, content passes, a caller reads, a result rests in a cache. */
export const USES = ["store", "transit", "serve", "cache"] as const;
export type Use = (typeof USES)[number];

/** All of them must be met. */
export const CONDITIONS: Readonly<Record<Use, readonly Condition[]>> = {
  store: [listed("store"), operated, stays, transferred, kept],
  transit: [listed("transit"), operated, passes],
  serve: [served, transferred, kept],
  cache: [listed("cache"), operated, stays, transferred, kept],
};

/** The zone eu is the EU; the zone global is wherever Cloudflare is. */
function freeUntil({ network, place }: Question): Day {
  if (place.zone !== undefined) return place.zone === "eu" ? ALWAYS : NEVER;
  return freeFlowUntil(network, place.country);
}

type Transfer = NonNullable<ResidencyClass["transfers"]>[number];

/** The transfer that reaches this place for the longest. */
function basisOf({
  network,
  rules,
  place,
}: Question): { readonly transfer: Transfer; readonly until: Day } | undefined {
  let best: { readonly transfer: Transfer; readonly until: Day } | undefined;
  for (const transfer of rules.transfers ?? []) {
    const { to } = transfer;
    const everywhere = to.includes(ANYWHERE) ? ALWAYS : NEVER;
    const covered = place.zone === undefined ? listedUntil(network, to, place.country) : everywhere;
    const until = earlier(covered, transfer.until ?? ALWAYS);
    if (until > (best?.until ?? NEVER)) best = { transfer, until };
  }
  return best;
}

function listsZone(zones: readonly string[], zone: string): boolean {
  return zones.includes(zone) && ZONES.some((known) => known === zone);
}
