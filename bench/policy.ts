/** Decisions of the residency policy a second. */
import { readFileSync } from "node:fs";
import { COUNTRY_CODES } from "@kattegat/config/country.ts";
import { todayUtc } from "@kattegat/config/day.ts";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import { ANYWHERE, ZONES } from "@kattegat/config/residency-class.ts";
import {
  decideCache,
  decideHold,
  decidePass,
  decideServe,
  mayCache,
  mayHold,
  mayPass,
  mayServe,
} from "@kattegat/config/residency.ts";
import { loadNote, machineName, publish } from "./report.ts";
import { summarize } from "./summary.ts";

const TARGET_PER_SECOND = 1_000_000;
/** Long enough that the clock and the collector do not show. */
const RUN_MS = 400;
const RUNS = 7;

interface Decider {
  hold(className: string, site: string): boolean;
  pass(className: string, zone: string): boolean;
  serve(className: string, country: string): boolean;
  cache(className: string, zone: string): boolean;
}

type Ask = (decider: Decider) => boolean;

function askedOf(network: Network): Readonly<Record<keyof Decider, readonly Ask[]>> {
  const classes = Object.keys(network.classes);
  const each = (places: readonly string[], ask: (className: string, place: string) => Ask): readonly Ask[] =>
    classes.flatMap((className) => places.map((place) => ask(className, place)));
  return {
    hold: each(
      network.sites.map(({ id }) => id),
      (className, site) => (decider) => decider.hold(className, site),
    ),
    pass: each(ZONES, (className, zone) => (decider) => decider.pass(className, zone)),
    serve: each(
      [...COUNTRY_CODES, "XX"],
      (className, country) => (decider) => decider.serve(className, country),
    ),
    cache: each(ZONES, (className, zone) => (decider) => decider.cache(className, zone)),
  };
}

/** As services call it: without a day, which is today. */
function ours(network: Network): Decider {
  return {
    hold: (className, id) => mayHold(network, className, { id }),
    pass: (className, zone) => mayPass(network, className, zone),
    serve: (className, country) => mayServe(network, className, country),
    cache: (className, zone) => mayCache(network, className, zone),
  };
}

function withRules(network: Network): Decider {
  return {
    hold: (className, id) => decideHold(network, className, { id }).allowed,
    pass: (className, zone) => decidePass(network, className, zone).allowed,
    serve: (className, country) => decideServe(network, className, country).allowed,
    cache: (className, zone) => decideCache(network, className, zone).allowed,
  };
}

/** What one writes first: today's countries of each entry in a set, the place looked up in it. It knows lists alone, no conditions. */
function naive(network: Network): Decider {
  const countriesOf = (entries: readonly string[]): Set<string> => {
    const day = todayUtc();
    const countries = new Set<string>();
    for (const entry of entries) {
      const group = network.country_groups[entry];
      if (group === undefined) countries.add(entry);
      else
        for (const country of group.countries)
          if (day <= (group.until?.[country] ?? day)) countries.add(country);
    }
    return countries;
  };
  const lists = (entries: readonly string[], country: string): boolean => {
    const countries = countriesOf(entries);
    return countries.has(ANYWHERE) || countries.has(country);
  };
  return {
    hold: (className, id) => {
      const site = network.sites.find((each) => each.id === id);
      const store = network.classes[className]?.store;
      if (site === undefined || store === undefined) return false;
      if (site.zone !== undefined) return new Set<string>(store.zones).has(site.zone);
      return site.country !== undefined && lists(store.countries, site.country);
    },
    pass: (className, zone) => new Set<string>(network.classes[className]?.transit.zones).has(zone),
    serve: (className, country) => lists(network.classes[className]?.serve.countries ?? [], country),
    cache: (className, zone) => new Set<string>(network.classes[className]?.cache.zones).has(zone),
  };
}

/** The median of several runs; one more before them is not counted. */
function perSecond(decider: Decider, asks: readonly Ask[]): number {
  const rates = Array.from({ length: RUNS + 1 }, () => {
    const started = performance.now();
    let decisions = 0;
    let allowed = 0;
    while (performance.now() - started < RUN_MS) {
      for (let round = 0; round < 20; round += 1) for (const ask of asks) allowed += ask(decider) ? 1 : 0;
      decisions += 20 * asks.length;
    }
    if (allowed === 0) throw new Error("no decision said yes: nothing was decided");
    return (decisions / (performance.now() - started)) * 1_000;
  });
  return Math.round(summarize(rates.slice(1)).p50);
}

export function benchPolicy(): Promise<void> {
  const file = "config/network.yaml";
  const network = parseNetwork(readFileSync(new URL(`../${file}`, import.meta.url), "utf8"), { file });
  const asked = askedOf(network);
  const deciders = { naive: naive(network), ours: ours(network), withRules: withRules(network) };
  const whole = Object.values(asked).flat();
  const differing = whole.filter((ask) => {
    const [expected, ...others] = Object.values(deciders).map((decider) => ask(decider));
    return others.some((answer) => answer !== expected);
  });
  if (differing.length > 0)
    throw new Error(`${differing.length} decisions differ between the ways to decide`);
  const rows = [...Object.entries(asked), ["all of these", whole] as const].map(([name, asks]) => {
    const base = perSecond(deciders.naive, asks);
    const rate = perSecond(deciders.ours, asks);
    return [
      name,
      asks.length,
      rate,
      base,
      rate / base,
      perSecond(deciders.withRules, asks),
      TARGET_PER_SECOND,
    ];
  });
  publish({
    name: "policy",
    title: "Decisions of the residency policy",
    command: "npm run bench -- policy",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `One thread; the median of ${RUNS} runs of ${RUN_MS} ms, the ways one after the other for each question. All ways gave the same answer to every question before the clock ran.`,
      "Questions: the shipped classes at every site, zone and country, an unknown one included. `naive` makes a set of today's countries for each decision and knows lists alone; `may…` decides operators, transfers, stays and retention too.",
      "`with rules` is what `config explain` asks: each decision with its reasons and references.",
      loadNote(),
    ],
    tables: [
      {
        title: "Decisions a second",
        columns: [
          "question",
          "places × classes",
          "may… /s",
          "naive /s",
          "times naive",
          "with rules /s",
          "target /s",
        ],
        rows,
      },
    ],
  });
  return Promise.resolve();
}
