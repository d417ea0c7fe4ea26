/** The network's state as text for a person. */
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import type { Painter } from "./painter.ts";
import { comparedSites } from "./comparison-finding.ts";
import { formatComparisons } from "./repairs-text.ts";
import { table } from "./table.ts";

type SiteStatus = NetworkStatus["sites"][number];

export function formatNetwork(network: NetworkStatus, paint: Painter): string {
  const sites = table(
    [
      ["site", "kind", "city", "health", "watermark", "lag", "parked", "address"],
      ...network.sites.map(siteRow),
    ],
    { right: [4] },
  );
  const tiers = table(
    [
      ["tier", "documents", "capacity", "passages", "budget"],
      ...network.tiers.map(({ tier, documents, capacity, passages, budget_ms }) => [
        tier,
        count(documents),
        count(capacity),
        count(passages),
        `${budget_ms} ms`,
      ]),
    ],
    { right: [1, 2, 3, 4] },
  );
  const classes = table(
    [
      ["class", "documents", "stored in", "served to"],
      ...network.classes.map(({ name, documents, store, serve }) => [
        name,
        count(documents),
        store.join(" "),
        shortened(serve),
      ]),
    ],
    { right: [1] },
  );
  const head = `sequence ${network.sequence}, epoch ${network.epoch}, ${formatModels(network)}`;
  return [
    head,
    ...formatPolicy(network),
    "",
    ...coloured(sites, network.sites, paint),
    "",
    ...headed(tiers, paint),
    "",
    ...headed(classes, paint),
    "",
    ...headed(formatComparisons(comparedSites(network.sites)), paint),
  ].join("\n");
}

/** Which policy is followed, how far its last change is carried out. */
function formatPolicy({ policy }: NetworkStatus): readonly string[] {
  if (policy === null) return [];
  const { policy: version, checked, placed } = policy;
  return [
    checked === null
      ? `policy ${version}, every document is planned by it`
      : `policy ${version}, ${count(checked)} documents compared with it so far, ${count(placed)} of them planned elsewhere before`,
  ];
}

/** Which model serves, which one is to come; searches ask for that as soon as every site has it. */
function formatModels({ model, next }: NetworkStatus): string {
  const serving = `model ${model.id} (${model.dimensions} dimensions)`;
  if (next === undefined) return serving;
  return `${serving}, next ${next.id} (${next.dimensions} dimensions)${next.serves ? ", which searches use" : ""}`;
}

function siteRow(site: SiteStatus): readonly string[] {
  const lag = site.lag_ms === null ? "" : `${Math.round(site.lag_ms)} ms, ${site.lag_changes ?? 0} changes`;
  return [
    site.id,
    site.kind,
    site.city ?? "",
    site.health,
    site.watermark ?? "–",
    lag,
    site.parked === null || site.parked === 0 ? "" : String(site.parked),
    site.url ?? "",
  ];
}

/** Colours go on after the columns are aligned, since they have no width. */
function coloured(lines: readonly string[], sites: readonly SiteStatus[], paint: Painter): readonly string[] {
  return headed(lines, paint).map((line, index) => {
    const health = sites[index - 1]?.health;
    if (health === "ok") return line.replace(/\bok\b/, paint.green("ok"));
    if (health === "not_running") return paint.dim(line);
    return health === undefined ? line : line.replace(health, paint.red(health));
  });
}

function headed([head = "", ...lines]: readonly string[], paint: Painter): readonly string[] {
  return [paint.dim(head), ...lines];
}

/** A class can be served to half of the world's countries. */
const NAMES_SHOWN = 6;

function shortened(names: readonly string[]): string {
  return names.length <= NAMES_SHOWN
    ? names.join(" ")
    : `${names.slice(0, NAMES_SHOWN).join(" ")} and ${names.length - NAMES_SHOWN} more`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
