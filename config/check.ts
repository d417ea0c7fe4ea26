/** Reviews a valid network as a whole, together with the Worker files that are to be deployed for it. */
import { besideFindings } from "./beside-check.ts";
import { conditionFindings } from "./class-check.ts";
import { daysBetween, expiryFinding } from "./expiry-finding.ts";
import type { Finding } from "./finding.ts";
import type { Network, Site } from "./network.ts";
import { TIER_NAMES } from "./network.ts";
import { placement } from "./placement.ts";
import { withoutRetention } from "./retention.ts";
import { ANYWHERE, ZONES } from "./residency-class.ts";
import { mayHold, mayPass } from "./residency.ts";
import { checkWorker } from "./worker-check.ts";
import type { WorkerFile } from "./worker-check.ts";

/** Lists of countries change about once a year. */
const LIST_AGE_DAYS_MAX = 365;

/** All findings, errors first; empty when there is nothing to say. */
export function checkNetwork(
  network: Network,
  {
    today,
    workers = [],
    file = "config/network.yaml",
  }: { readonly today: string; readonly workers?: readonly WorkerFile[]; readonly file?: string },
): readonly Finding[] {
  const at = (path: string): string => `${file} ${path}`;
  const findings = [
    ...homeFindings(network, { today, at }),
    ...groupFindings(network, { today, at }),
    ...classFindings(network, { today, at }),
    ...conditionFindings(network, { today, at }),
    ...siteFindings(network, at),
    ...besideFindings(network, { today, at }),
    ...workers.flatMap((worker) => checkWorker(network, worker)),
  ];
  const order = ["error", "warning", "note"];
  return findings.toSorted((left, right) => order.indexOf(left.severity) - order.indexOf(right.severity));
}

interface Context {
  readonly today: string;
  readonly at: (path: string) => string;
}

/** A home can be lost on a day without anyone having edited the file, when a country's listing expires. */
function homeFindings(network: Network, { today, at }: Context): readonly Finding[] {
  const open = withoutRetention(network);
  return Object.keys(network.classes).flatMap((residency) =>
    TIER_NAMES.filter((tier) => placement({ residency, tier }, open, today).length === 0).map(
      (tier): Finding => ({
        severity: "error",
        where: at(`classes.${residency}.store`),
        found: `class ${residency} has no legal site for tier ${tier}`,
        write: "a running site in a country that store allows",
      }),
    ),
  );
}

function groupFindings(network: Network, { today }: Context): readonly Finding[] {
  const used = new Set(
    Object.values(network.classes).flatMap((rules) => [
      ...[rules.store, rules.transit, rules.serve].flatMap((places) => places.countries),
      ...(rules.transfers ?? []).flatMap(({ to }) => to),
    ]),
  );
  return Object.entries(network.country_groups).flatMap(([name, group]) => {
    const findings: Finding[] = [];
    const path = `country group ${name}`;
    if (!used.has(name) && group.free_flow !== true)
      findings.push({
        severity: "warning",
        where: path,
        found: "no class uses this group",
        write: "it into a class, or remove it",
      });
    const ageDays = daysBetween(group.as_of, today);
    if (ageDays > LIST_AGE_DAYS_MAX) {
      findings.push({
        severity: "warning",
        where: `${path} as_of`,
        found: `compared with its source (${group.source}) ${ageDays} days ago`,
        write: `as_of: ${today} after comparing it again`,
      });
    }
    for (const [country, until] of Object.entries(group.until ?? {}))
      findings.push(
        ...expiryFinding(until, {
          today,
          where: `${path} until.${country}`,
          what: country,
          renewed: "the decision was renewed, or remove the country",
        }),
      );
    return findings;
  });
}

function classFindings(network: Network, { today, at }: Context): readonly Finding[] {
  return Object.entries(network.classes).flatMap(([name, rules]) => {
    const findings: Finding[] = [];
    const path = at(`classes.${name}`);
    const carried = ZONES.some(
      (zone) =>
        mayPass(network, name, zone) && network.sites.some((site) => site.zone === zone && site.running),
    );
    const primary = network.sites.find((site) => site.kind === "primary");
    if (!carried && primary?.hostname === undefined) {
      findings.push({
        severity: "error",
        where: `${path}.transit`,
        found: "no running zone may carry this class, nor has the primary a host name: nobody can read it",
        write: "a hostname at the primary, or a zone in transit.zones",
      });
    } else if (!carried) {
      findings.push({
        severity: "note",
        where: `${path}.transit`,
        found: "no running zone may carry this class: it is served only at the primary's own endpoint",
        write: "nothing, if that is meant",
      });
    }
    if (rules.serve.countries.length === 0)
      findings.push({
        severity: "warning",
        where: `${path}.serve.countries`,
        found: "no caller may read this class",
        write: "the countries of its readers",
      });
    if (rules.store.countries.includes(ANYWHERE) && !rules.serve.countries.includes(ANYWHERE)) {
      findings.push({
        severity: "warning",
        where: `${path}.store.countries`,
        found: "a copy may rest in countries whose callers may not read it",
        write: "the countries where a copy may rest",
      });
    }
    for (const standby of network.sites.filter(
      (site) => site.kind === "standby" && !mayHold(network, name, site, today),
    )) {
      findings.push({
        severity: "error",
        where: path,
        found: `the standby ${standby.id} replicates the primary but may not hold this class`,
        write: `a standby in a country that store allows`,
      });
    }
    return findings;
  });
}

function siteFindings(network: Network, at: (path: string) => string): readonly Finding[] {
  const findings: Finding[] = [];
  const runs = (kind: Site["kind"]): boolean =>
    network.sites.some((site) => site.kind === kind && site.running);
  if (!runs("standby"))
    findings.push({
      severity: "note",
      where: at("sites"),
      found: "no running standby: when the primary is lost, writes stop until it is back",
      write: "running: true at a standby",
    });
  if (!runs("archive"))
    findings.push({
      severity: "note",
      where: at("sites"),
      found: "no running archive: copies can be rebuilt from the primary alone",
      write: "running: true at an archive",
    });
  network.sites.forEach((site, index) => {
    if (site.running && site.qdrant?.replication_factor === 1) {
      findings.push({
        severity: "warning",
        where: at(`sites[${index}].qdrant.replication_factor`),
        found: `${site.id} keeps one copy of each shard: a lost node loses it until it is replicated again`,
        write: "replication_factor: 2",
      });
    }
  });
  return findings;
}
