/** Reviews what lies beside the sites: operators, telemetry, backups, failover. */
import type { Place } from "./conditions.ts";
import type { Finding } from "./finding.ts";
import type { Network, Site } from "./network.ts";
import { decideRest, mayCache, mayHold, mayPass } from "./residency.ts";

interface Context {
  readonly today: string;
  readonly at: (path: string) => string;
}

export function besideFindings(network: Network, context: Context): readonly Finding[] {
  return [
    ...operatorFindings(network, context),
    ...telemetryFindings(network, context),
    ...backupFindings(network, context),
    ...failoverFindings(network, context),
  ];
}

function operatorFindings({ sites, classes }: Network, { at }: Context): readonly Finding[] {
  const excluding = Object.keys(classes).filter((name) => classes[name]?.operators !== undefined);
  if (excluding.length === 0) return [];
  return sites.flatMap(({ id, operator }, index): Finding[] =>
    operator === undefined
      ? [
          {
            severity: "warning",
            where: at(`sites[${index}].operator`),
            found: `${id} has no operator, so it is refused for ${excluding.join(", ")}, which exclude some`,
            write: "operator: { name: …, jurisdictions: [DK] }",
          },
        ]
      : [],
  );
}

/** Metadata is data too: a document's id can be a name, a class with a time can tell a case. */
function telemetryFindings(network: Network, { today, at }: Context): readonly Finding[] {
  return (network.telemetry ?? []).flatMap(({ name, signal, country, operator, classes }, index) =>
    classes.flatMap((className) =>
      restFindings(network, className, {
        place: { country, operator },
        today,
        where: at(`telemetry[${index}].classes`),
        what: `${signal} of class ${className} may not go to ${name} in ${country}`,
        write: `classes without ${className}, or a destination where the class may be stored`,
      }),
    ),
  );
}

function backupFindings(network: Network, { today, at }: Context): readonly Finding[] {
  return (network.backups ?? []).flatMap((backup, index) => {
    const { name, of, country, operator, replicas = [], encryption } = backup;
    const held = classesHeldAt(network, of, today);
    const copies = [
      { key: "country", to: country },
      ...replicas.map((to, place) => ({ key: `replicas[${place}]`, to })),
      ...(encryption === undefined ? [] : [{ key: "encryption.keys_in", to: encryption.keys_in }]),
    ];
    const findings = copies.flatMap(({ key, to }) =>
      held.flatMap((className) =>
        restFindings(network, className, {
          place: { country: to, operator },
          today,
          where: at(`backups[${index}].${key}`),
          what: `${name} copies class ${className} of ${of} to ${to}, where it may not rest`,
          write: "a country and an operator that store of every class of the site allows",
        }),
      ),
    );
    const personal = held.filter((className) => network.classes[className]?.personal_data !== false);
    if (encryption !== undefined || personal.length === 0) return findings;
    return [
      ...findings,
      {
        severity: "error" as const,
        where: at(`backups[${index}].encryption`),
        found: `${name} holds personal data (${personal.join(", ")}) and is not encrypted: what is erased stays readable in it`,
        write: "encryption: { algorithm: AES-256-GCM, keys_in: DK }",
      },
    ];
  });
}

function restFindings(
  network: Network,
  className: string,
  {
    place,
    today,
    where,
    what,
    write,
  }: {
    readonly place: Place;
    readonly today: string;
    readonly where: string;
    readonly what: string;
    readonly write: string;
  },
): readonly Finding[] {
  const { allowed, rules } = decideRest(network, className, place, today);
  if (allowed) return [];
  return [{ severity: "error", where, found: `${what}: ${rules.map(({ says }) => says).join("; ")}`, write }];
}

/** Whoever takes a site's work takes its classes; a site that may not hold one of them loses it, or leaks it. */
function failoverFindings(network: Network, { today, at }: Context): readonly Finding[] {
  return (network.failover ?? []).flatMap(({ of, to }, index) => {
    const where = at(`failover[${index}].to`);
    const target = network.sites.find(({ id }) => id === to);
    const source = network.sites.find(({ id }) => id === of);
    if (target === undefined || source === undefined) return [];
    const lost = classesHeldAt(network, of, today).filter(
      (className) => !mayTake(network, className, { source, target, today }),
    );
    const findings: Finding[] = lost.map((className) => ({
      severity: "error",
      where,
      found: `${to} may not take the work of ${of}: it may not hold class ${className} as ${of} may`,
      write: "a site that may hold every class of the lost one",
    }));
    if (!target.running)
      findings.push({
        severity: "warning",
        where,
        found: `${to} is declared only: it can take no work of ${of}`,
        write: `running: true at ${to}, or another site`,
      });
    return findings;
  });
}

function mayTake(
  network: Network,
  className: string,
  { source, target, today }: { readonly source: Site; readonly target: Site; readonly today: string },
): boolean {
  if (!mayHold(network, className, target, today)) return false;
  const { zone: from } = source;
  const { zone } = target;
  if (from === undefined || zone === undefined) return true;
  return (
    (mayPass(network, className, zone) || !mayPass(network, className, from)) &&
    (mayCache(network, className, zone, today) || !mayCache(network, className, from, today))
  );
}

function classesHeldAt(network: Network, id: string, today: string): readonly string[] {
  return Object.keys(network.classes).filter((name) => mayHold(network, name, { id }, today));
}
