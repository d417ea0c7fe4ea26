/** Decides what the law allows, by the network file, refusing whatever it does not know. */
import { CONDITIONS } from "./conditions.ts";
import type { Place, ResidencyRules, Use } from "./conditions.ts";
import type { CallerCountry } from "./country-list.ts";
import { ALWAYS, NEVER, earlier, holdsOn } from "./day.ts";
import type { Day } from "./day.ts";
import type { ResidencyClass, Site } from "./network.ts";
import type { Zone } from "./residency-class.ts";

export interface WithheldClass {
  readonly className: string;
  /** `caller`: not from this country, whatever the host name. `hostname`: another zone, or none, may carry it. */
  readonly reason: "caller" | "hostname";
  /** The zone whose host name would serve it, when a running edge site has one. */
  readonly alternateZone?: Zone;
}

export interface ServedClasses {
  readonly served: readonly string[];
  readonly notServed: readonly WithheldClass[];
}

/** One rule of a class, and what it says of one question. */
export interface DecidingRule {
  /** Where the network file says it: `classes.eu.store`. */
  readonly path: string;
  readonly allows: boolean;
  /** The last day on which it allows; null when it has no end, or does not allow. */
  readonly until: Day | null;
  readonly says: string;
  readonly reason: string | null;
  readonly reference: string | null;
}

export interface Decision {
  readonly allowed: boolean;
  /** Of a refusal those that refuse, else all that were met. */
  readonly rules: readonly DecidingRule[];
}

/** May a copy of this class be at rest at this site? A site that the network file does not list may hold nothing. */
export function mayHold(
  network: ResidencyRules,
  className: string,
  site: Pick<Site, "id">,
  today?: Day,
): boolean {
  return holdsOn(heldUntil(network, className, site), today);
}

/** May content of this class pass through the memory of a Worker in this zone? */
export function mayPass(network: ResidencyRules, className: string, zone: string): boolean {
  return passedUntil(network, className, zone) !== NEVER;
}

/** May a caller in this country read documents of this class? */
export function mayServe(
  network: ResidencyRules,
  className: string,
  callerCountry: CallerCountry,
  today?: Day,
): boolean {
  return holdsOn(
    allowedUntil(network, { className, use: "serve", place: { country: callerCountry } }),
    today,
  );
}

/** May a result that contains this class rest in the cache of this zone? */
export function mayCache(network: ResidencyRules, className: string, zone: string, today?: Day): boolean {
  return holdsOn(cachedUntil(network, className, zone), today);
}

/** May what is known of documents of this class rest at a place that is no site: a backup, a log? */
export function mayRest(network: ResidencyRules, className: string, place: Place, today?: Day): boolean {
  return holdsOn(allowedUntil(network, { className, use: "store", place }), today);
}

/** The last day on which `mayHold` says yes, `NEVER` or `ALWAYS`; so for the two after it. */
export function heldUntil(network: ResidencyRules, className: string, site: Pick<Site, "id">): Day {
  const place = placeOf(network, site);
  return place === undefined ? NEVER : allowedUntil(network, { className, use: "store", place });
}

export function passedUntil(network: ResidencyRules, className: string, zone: string): Day {
  return allowedUntil(network, { className, use: "transit", place: zonePlace(network, zone) });
}

export function cachedUntil(network: ResidencyRules, className: string, zone: string): Day {
  return allowedUntil(network, { className, use: "cache", place: zonePlace(network, zone) });
}

/** The last day on which a class may be put to this use at a place, whether or not a site stands there. */
export function allowedUntil(
  network: ResidencyRules,
  { className, use, place }: { readonly className: string; readonly use: Use; readonly place: Place },
): Day {
  const rules = classOf(network, className);
  if (rules === undefined) return NEVER;
  const question = { network, rules, place };
  let day = ALWAYS;
  for (const condition of CONDITIONS[use]) {
    day = earlier(day, condition.until(question));
    if (day === NEVER) break;
  }
  return day;
}

/** What `mayHold` says, with the rules that decide; so for the other four. */
export function decideHold(
  network: ResidencyRules,
  className: string,
  site: Pick<Site, "id">,
  today?: Day,
): Decision {
  const place = placeOf(network, site);
  if (place === undefined) return refusal("sites", `the network file has no site ${site.id} with a place`);
  return decide(network, { className, use: "store", place, today });
}

export function decidePass(network: ResidencyRules, className: string, zone: string): Decision {
  return decide(network, { className, use: "transit", place: zonePlace(network, zone) });
}

export function decideServe(
  network: ResidencyRules,
  className: string,
  country: CallerCountry,
  today?: Day,
): Decision {
  return decide(network, { className, use: "serve", place: { country }, today });
}

export function decideCache(network: ResidencyRules, className: string, zone: string, today?: Day): Decision {
  return decide(network, { className, use: "cache", place: zonePlace(network, zone), today });
}

export function decideRest(network: ResidencyRules, className: string, place: Place, today?: Day): Decision {
  return decide(network, { className, use: "store", place, today });
}

/** Splits the classes into those that this host name may answer this caller with, in the file's order, and those withheld. */
export function servedClasses(
  network: ResidencyRules,
  request: {
    readonly zone: string;
    readonly callerCountry: CallerCountry;
    readonly today?: Day | undefined;
  },
): ServedClasses {
  const { today } = request;
  const served: string[] = [];
  const notServed: WithheldClass[] = [];
  for (const className of Object.keys(network.classes)) {
    if (!mayServe(network, className, request.callerCountry, today)) {
      notServed.push({ className, reason: "caller" });
    } else if (mayPass(network, className, request.zone)) {
      served.push(className);
    } else {
      const alternateZone = zoneThatCarries(network, className);
      notServed.push({
        className,
        reason: "hostname",
        ...(alternateZone === undefined ? {} : { alternateZone }),
      });
    }
  }
  return { served, notServed };
}

function zoneThatCarries(network: ResidencyRules, className: string): Zone | undefined {
  const carrier = network.sites.find(
    (site) =>
      site.kind === "edge" &&
      site.running &&
      site.zone !== undefined &&
      mayPass(network, className, site.zone),
  );
  return carrier?.zone;
}

function classOf(network: ResidencyRules, className: string): ResidencyClass | undefined {
  return Object.hasOwn(network.classes, className) ? network.classes[className] : undefined;
}

/** Undefined for a site that is not listed, or says neither its country nor its zone. */
function placeOf(network: ResidencyRules, site: Pick<Site, "id">): Place | undefined {
  const listed = network.sites.find((candidate) => candidate.id === site.id);
  if (listed === undefined) return undefined;
  const { kind, country, zone, operator } = listed;
  if (kind === "edge") return zone === undefined ? undefined : { zone, operator };
  return country === undefined ? undefined : { country, operator };
}

function zonePlace({ sites }: ResidencyRules, zone: string): Place {
  return { zone, operator: sites.find((site) => site.kind === "edge" && site.zone === zone)?.operator };
}

function decide(
  network: ResidencyRules,
  asked: {
    readonly className: string;
    readonly use: Use;
    readonly place: Place;
    readonly today?: Day | undefined;
  },
): Decision {
  const { className, use, place, today } = asked;
  const rules = classOf(network, className);
  if (rules === undefined)
    return refusal(
      "classes",
      `the network file has no class ${className}; what it does not know, it refuses`,
    );
  const question = { network, rules, place };
  const allowed = holdsOn(allowedUntil(network, asked), today);
  const told = CONDITIONS[use].flatMap((condition): DecidingRule[] => {
    const telling = condition.tell(question);
    if (telling === null) return [];
    const { key, says, reason = null, reference = null } = telling;
    const day = condition.until(question);
    return [
      {
        path: `classes.${className}.${key}`,
        allows: holdsOn(day, today),
        until: day === NEVER || day === ALWAYS ? null : day,
        says,
        reason,
        reference,
      },
    ];
  });
  return { allowed, rules: told.filter(({ allows }) => allows === allowed) };
}

function refusal(path: string, says: string): Decision {
  const rule = { path, allows: false, until: null, says, reason: null, reference: null };
  return { allowed: false, rules: [rule] };
}
