/** Makes the record of processing activities (Art. 30 GDPR) from the network file. */
import { holdsOn } from "./day.ts";
import type { Day } from "./day.ts";
import { PLACES } from "./narrowing.ts";
import type { Network, ResidencyClass } from "./network.ts";
import { policyVersion } from "./policy-version.ts";
import { allowedUntil, mayHold, mayPass } from "./residency.ts";
import { periodOf } from "./retention.ts";

export interface Recipient {
  readonly name: string;
  /** Countries whose law can oblige it to disclose. */
  readonly law: readonly string[];
  /** What it does, and where: `site eu-fra (regional, DE)`. */
  readonly as: readonly string[];
  /** Classes whose content or metadata it holds. */
  readonly classes: readonly string[];
}

export interface RecordedTransfer {
  readonly className: string;
  readonly to: readonly string[];
  readonly basis: string;
  readonly reason: string;
  readonly reference: string;
  readonly until: Day | null;
}

export interface ProcessingActivity {
  readonly className: string;
  readonly description: string | null;
  readonly personalData: boolean;
  /** Tenants with classes of their own; empty for a class of everyone. */
  readonly tenants: readonly string[];
  readonly sites: readonly string[];
  readonly retention: {
    readonly period: string;
    readonly reason: string;
    readonly reference: string;
  } | null;
  /** Third countries and recipients there, with what allows it; free flow needs none. */
  readonly transfers: readonly RecordedTransfer[];
  /** Third countries that adequacy decisions let read it. */
  readonly adequate: readonly string[];
}

export interface ProcessingRecord {
  readonly policy: string;
  readonly day: Day;
  readonly organisation: NonNullable<Network["organisation"]> | null;
  readonly activities: readonly ProcessingActivity[];
  readonly recipients: readonly Recipient[];
  readonly securityMeasures: readonly string[];
  /** What the article demands and the file does not say. */
  readonly gaps: readonly string[];
}

/** What Kattegat itself does, whatever the network. */
const OWN_MEASURES = [
  "A copy rests only where its residency class allows it; each receiving site checks again with its own configuration (Art. 25, 32(1)(b)).",
  "Requests between sites carry tokens signed with Ed25519, valid for a minute, for one site and one reign (Art. 32(1)(b)).",
  "Callers have keys with scopes; keys are stored as SHA-256 alone (Art. 32(1)(b)).",
  "Query texts are not logged, and sites see their vectors alone (Art. 25).",
  "Erasures reach every site and end in a receipt with site and time (Art. 17).",
  "Copies can be rebuilt from the change log; sites report how far they are (Art. 32(1)(c)).",
];

export function processingRecord(network: Network, { today }: { readonly today: Day }): ProcessingRecord {
  const activities = Object.entries(network.classes).map(([name, rules]) =>
    activityOf(network, name, { rules, today }),
  );
  return {
    policy: policyVersion(network),
    day: today,
    organisation: network.organisation ?? null,
    activities,
    recipients: recipientsOf(network, today),
    securityMeasures: [
      ...OWN_MEASURES,
      ...(network.backups ?? []).flatMap(({ name, encryption }) =>
        encryption === undefined
          ? []
          : [`Backup ${name}: ${encryption.algorithm}, keys in ${encryption.keys_in}.`],
      ),
      ...(network.organisation?.security_measures ?? []),
    ],
    gaps: gapsOf(network),
  };
}

function activityOf(
  network: Network,
  className: string,
  { rules, today }: { readonly rules: ResidencyClass; readonly today: Day },
): ProcessingActivity {
  const { retention, transfers = [] } = rules;
  return {
    className,
    description: rules.description ?? null,
    personalData: rules.personal_data !== false,
    tenants: Object.entries(network.tenants ?? {})
      .filter(([, tenant]) => rules.narrows !== undefined && tenant.classes.includes(className))
      .map(([name]) => name),
    sites: network.sites.filter((site) => mayHold(network, className, site, today)).map(({ id }) => id),
    retention:
      retention === undefined
        ? null
        : { period: periodOf(retention), reason: retention.reason, reference: retention.reference },
    transfers: transfers.map(({ to, basis, reason, reference, until = null }) => ({
      className,
      to,
      basis,
      reason,
      reference,
      until,
    })),
    adequate: adequateReaders(network, className, today),
  };
}

/** Countries of readers that count by a decision on each of them, which is what `references` lists, not as members of the EU or the EEA. */
function adequateReaders(network: Network, className: string, today: Day): readonly string[] {
  const groups = Object.values(network.country_groups).filter((group) => group.free_flow === true);
  const countriesOf = (areDecided: boolean): ReadonlySet<string> =>
    new Set(
      groups
        .filter(({ references }) => (references !== undefined) === areDecided)
        .flatMap(({ countries }) => countries),
    );
  const [decided, members] = [countriesOf(true), countriesOf(false)];
  return PLACES.flatMap(({ country, operator }) => {
    if (typeof country !== "string" || members.has(country) || !decided.has(country)) return [];
    const until = allowedUntil(network, { className, use: "serve", place: { country, operator } });
    return holdsOn(until, today) ? [country] : [];
  });
}

function recipientsOf(network: Network, today: Day): readonly Recipient[] {
  const classes = Object.keys(network.classes);
  const entries = [
    ...network.sites.map((site) => ({
      operator: site.operator,
      as: `site ${site.id} (${site.kind}, ${site.country ?? `zone ${site.zone ?? "none"}`})`,
      classes: classes.filter(
        (name) =>
          mayHold(network, name, site, today) ||
          (site.zone !== undefined && mayPass(network, name, site.zone)),
      ),
    })),
    ...(network.telemetry ?? []).map((each) => ({
      operator: each.operator,
      as: `${each.signal} at ${each.name} (${each.country}), metadata alone`,
      classes: each.classes,
    })),
    ...(network.backups ?? []).map((each) => ({
      operator: each.operator,
      as: `backup ${each.name} of ${each.of} (${union([each.country], each.replicas ?? []).join(", ")})`,
      classes: classes.filter((name) => mayHold(network, name, { id: each.of }, today)),
    })),
  ];
  const recipients = new Map<string, Recipient>();
  for (const { operator, as, classes: held } of entries) {
    const name = operator?.name ?? "an operator that the network file does not name";
    const known = recipients.get(name) ?? { name, law: [], as: [], classes: [] };
    recipients.set(name, {
      name,
      law: union(known.law, operator?.jurisdictions ?? []),
      as: [...known.as, as],
      classes: classes.filter((each) => known.classes.includes(each) || held.includes(each)),
    });
  }
  return [...recipients.values()];
}

function union(left: readonly string[], right: readonly string[]): readonly string[] {
  return [...new Set([...left, ...right])];
}

function gapsOf({ organisation, sites, classes, telemetry, backups }: Network): readonly string[] {
  const unnamed = sites.filter(({ operator }) => operator === undefined).map(({ id }) => id);
  const endless = Object.entries(classes)
    .filter(([, { personal_data: personal, retention }]) => personal !== false && retention === undefined)
    .map(([name]) => name);
  return [
    ...(organisation === undefined
      ? ["organisation: who is controller, contact, purposes, categories (Art. 30(1)(a) to (c))"]
      : []),
    ...(organisation !== undefined && organisation.data_protection_officer === undefined
      ? ["organisation.data_protection_officer: name one, or know that none is needed (Art. 30(1)(a), 37)"]
      : []),
    ...(unnamed.length > 0 ? [`operator of the sites ${unnamed.join(", ")} (Art. 30(1)(d))`] : []),
    ...(endless.length > 0
      ? [`retention of the classes ${endless.join(", ")}: the envisaged time limits (Art. 30(1)(f))`]
      : []),
    ...(telemetry === undefined ? ["telemetry: where logs, metrics and traces go (Art. 30(1)(d))"] : []),
    ...(backups === undefined ? ["backups: where they are kept (Art. 30(1)(d), 32(1)(c))"] : []),
  ];
}
