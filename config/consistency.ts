/** Finds what is wrong between the parts of a network file whose parts are each well formed. */
import { conditionProblems } from "./condition-consistency.ts";
import { embeddingProblems } from "./embedding-consistency.ts";
import { listedUntil } from "./country-list.ts";
import { TIER_NAMES, type Network } from "./network.ts";
import { withoutRetention } from "./retention.ts";
import { placement } from "./placement.ts";
import type { Problem } from "./problem.ts";
import { ANYWHERE } from "./residency-class.ts";
import { mayHold } from "./residency.ts";
import { groupProblems } from "./group-consistency.ts";
import { sectionProblems } from "./section-consistency.ts";
import { siteInconsistencies } from "./site-consistency.ts";
import type { NetworkParts } from "./well-formed.ts";

export function inconsistencies(parts: NetworkParts): readonly Problem[] {
  return [
    ...siteInconsistencies(parts),
    ...orderProblems(parts.tiers),
    ...deadlineProblems(parts.tiers),
    ...groupProblems(parts.groups, { at: "country_groups" }),
    ...classProblems(parts),
    ...conditionProblems(parts),
    ...sectionProblems(parts),
    ...homeProblems(parts),
    ...embeddingProblems(parts.embedding),
    ...synchronousProblems(parts),
  ];
}

/** A search that stops waiting before the promised time makes the promise unkeepable. */
function deadlineProblems(tiers: NetworkParts["tiers"]): Problem[] {
  return TIER_NAMES.flatMap((name) => {
    const { deadline_ms: received, budget_ms: least } = tiers[name] ?? {};
    if (received === undefined || least === undefined || received >= least) return [];
    const path = ["tiers", name, "deadline_ms"];
    return [{ path, expected: `at least ${least}, its budget_ms`, received, write: `deadline_ms: ${least}` }];
  });
}

function orderProblems(tiers: NetworkParts["tiers"]): Problem[] {
  return TIER_NAMES.flatMap((name, index) => {
    const faster = TIER_NAMES[index - 1];
    if (faster === undefined) return [];
    return (["capacity", "budget_ms", "deadline_ms"] as const).flatMap((field) => {
      const least = tiers[faster]?.[field];
      const received = tiers[name]?.[field];
      if (received === undefined || least === undefined || received >= least) return [];
      return [
        {
          path: ["tiers", name, field],
          expected: `at least ${least}, the ${field} of the faster tier ${faster}`,
          received,
          write: `${field}: ${least}`,
        },
      ];
    });
  });
}

function classProblems({ classes, placeable }: NetworkParts): Problem[] {
  const groups = { country_groups: placeable?.country_groups ?? {} };
  return Object.entries(classes).flatMap(([name, rules]) => {
    const at = ["classes", name] as const;
    const problems: Problem[] = [];
    const { store, transit } = rules;
    if (transit === undefined) return problems;
    for (const field of ["store", "cache"] as const) {
      for (const zone of rules[field]?.zones ?? []) {
        if (!transit.zones.includes(zone)) {
          problems.push({
            path: [...at, "transit", "zones"],
            expected: `the zone ${zone}, because ${field} allows it: what rests in a zone also passes through it`,
            received: transit.zones,
            write: `zones: [${[...transit.zones, zone].join(", ")}]`,
          });
        }
      }
    }
    for (const entry of store?.countries ?? []) {
      if (!isCovered(entry, transit.countries, groups)) {
        problems.push({
          path: [...at, "transit", "countries"],
          expected: `${entry}, because store allows it: what rests in a country also passes through it`,
          received: transit.countries,
          write: `countries: [${[...transit.countries, entry].join(", ")}]`,
        });
      }
    }
    return problems;
  });
}

/** Whether each country that the entry stands for is listed at least as long: by itself, by a group, as anywhere. */
function isCovered(entry: string, by: readonly string[], network: Pick<Network, "country_groups">): boolean {
  if (by.includes(entry) || by.includes(ANYWHERE)) return true;
  const group = Object.hasOwn(network.country_groups, entry) ? network.country_groups[entry] : undefined;
  return (group?.countries ?? [entry]).every(
    (country) => listedUntil(network, by, country) >= listedUntil(network, [entry], country),
  );
}

/** The primary stores the record of every document, so a class that it may not hold has no home in any tier. */
function homeProblems({ placeable }: NetworkParts): Problem[] {
  const primary = placeable?.sites.find((site) => site.kind === "primary");
  if (placeable === undefined || primary === undefined) return [];
  const network = withoutRetention(placeable);
  return Object.entries(network.classes).flatMap(([residency, rules]) => {
    const homeless = TIER_NAMES.filter(
      (tier) => placement({ residency, tier }, network).length === 0 || !mayHold(network, residency, primary),
    );
    if (homeless.length === 0) return [];
    const country = primary.country ?? "no country";
    return [
      {
        path: ["classes", residency, "store"],
        expected: `a legal site for class ${residency} in tier ${homeless.join(", ")}: the record of every document rests at the primary, ${primary.id} in ${country}, which store does not allow`,
        received: rules.store,
        write: `${country} into store.countries if the law allows it, or let the primary be in a country that store allows`,
      },
    ];
  });
}

function synchronousProblems({ sites = [], isEverySiteRead, writes }: NetworkParts): Problem[] {
  if (
    !isEverySiteRead ||
    writes?.synchronous !== true ||
    sites.some(({ site }) => site.kind === "standby" && site.running)
  )
    return [];
  return [
    {
      path: ["writes", "synchronous"],
      expected: "a running standby, because writes wait for one",
      received: true,
      write: "synchronous: false, or running: true at a standby",
    },
  ];
}
