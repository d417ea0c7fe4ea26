/** Reviews the wrangler file of an edge zone against the network file. */
import type { Finding } from "./finding.ts";
import type { Network } from "./network.ts";
import type { Zone } from "./residency-class.ts";

export interface WorkerFile {
  readonly file: string;
  readonly zone: Zone;
  /** The environment of the file that is deployed to this zone; none means the top level. */
  readonly environment?: string;
  /** The parsed file. */
  readonly settings: unknown;
}

/** Cloudflare turned the flag enable_ctx_exports on by default from this compatibility date. */
const LOOPBACK_EXPORTS_SINCE = "2025-11-17";

type Settings = Readonly<Record<string, unknown>>;

/** Keys that only build or name the Worker, or that are checked below. Whatever is not here is refused in the EU zone: deny by default. */
const HARMLESS_IN_EU: ReadonlySet<string> = new Set(
  `$schema name main account_id compatibility_date compatibility_flags routes route workers_dev preview_urls placement r2_buckets
   durable_objects migrations vars rules build minify no_bundle find_additional_modules base_dir define alias limits keep_vars
   upload_source_maps version_metadata wasm_modules observability env keep_names dev tsconfig`.split(/\s+/),
);

/** Cloudflare's page on Regional Services says of each of these that it is not covered. */
const NOT_COVERED: Readonly<Record<string, string>> = {
  kv_namespaces: "KV replicates to every location in the world",
  vectorize: "Vectorize has no jurisdiction",
  ai: "Workers AI runs wherever there is a free GPU",
  ai_search: "AI Search has no jurisdiction",
  ai_search_namespaces: "AI Search has no jurisdiction",
  queues: "Queues are not covered by Regional Services",
  triggers: "Cron triggers are not covered by Regional Services",
};

/** wrangler does not hand these down to an environment; every other key it does. */
const NOT_INHERITED: ReadonlySet<string> = new Set(
  `vars define durable_objects kv_namespaces queues r2_buckets d1_databases vectorize ai ai_search ai_search_namespaces services
   hyperdrive analytics_engine_datasets browser send_email mtls_certificates dispatch_namespaces workflows pipelines
   secrets_store_secrets tail_consumers images unsafe_hello_world ratelimits vpc_services version_metadata`.split(
    /\s+/,
  ),
);

export function checkWorker(network: Network, worker: WorkerFile): readonly Finding[] {
  const settings = deployed(worker);
  const where = worker.environment === undefined ? worker.file : `${worker.file} env.${worker.environment}`;
  if (settings === undefined) {
    return [
      {
        severity: "error",
        where,
        found: "not an object of settings",
        write: "a wrangler file, with this environment when one is named",
      },
    ];
  }
  return [
    ...(worker.zone === "eu" ? euFindings(settings, where) : []),
    ...compatibilityFindings(settings, where),
    ...routeFindings(network, { settings, where, zone: worker.zone }),
    ...bucketFindings(network, { settings, where, zone: worker.zone }),
  ];
}

function euFindings(settings: Settings, where: string): readonly Finding[] {
  const findings: Finding[] = [];
  for (const key of Object.keys(settings)) {
    if (HARMLESS_IN_EU.has(key) || isEmpty(settings[key])) continue;
    const why = NOT_COVERED[key] ?? "it is not on the list of what stays inside the EU";
    findings.push({
      severity: "error",
      where: `${where} ${key}`,
      found: `${key} in the zone eu: ${why}`,
      write: `nothing: remove ${key}`,
    });
  }
  const { placement } = settings;
  if (isRecord(placement) && Object.keys(placement).length > 0 && placement["mode"] !== "off") {
    findings.push({
      severity: "error",
      where: `${where} placement`,
      found: "Smart Placement moves the Worker to where its back ends are, inside the EU or not",
      write: "nothing: remove placement",
    });
  }
  if (isRecord(settings["observability"]) && settings["observability"]["enabled"] === true) {
    findings.push({
      severity: "warning",
      where: `${where} observability.enabled`,
      found: "Workers Logs have no jurisdiction, and a log line can carry a document id",
      write: "enabled: false, and export metrics from /metrics",
    });
  }
  return findings;
}

/** The Worker reaches other invocations of itself through `exports`, which is undefined before this day. */
function compatibilityFindings(settings: Settings, where: string): readonly Finding[] {
  const { compatibility_date: date, compatibility_flags: flags } = settings;
  const has = (flag: string): boolean => Array.isArray(flags) && flags.includes(flag);
  const isNew = typeof date === "string" && date >= LOOPBACK_EXPORTS_SINCE;
  if ((isNew || has("enable_ctx_exports")) && !has("disable_ctx_exports")) return [];
  return [
    {
      severity: "error",
      where: `${where} ${has("disable_ctx_exports") ? "compatibility_flags" : "compatibility_date"}`,
      found: `${has("disable_ctx_exports") ? "disable_ctx_exports is set" : `the compatibility date is ${String(date ?? "not set")}`}: the Worker has no exports of itself, through which it reads beyond six connections`,
      write: `compatibility_date: "${LOOPBACK_EXPORTS_SINCE}" or later, without disable_ctx_exports`,
    },
  ];
}

function routeFindings(
  network: Network,
  { settings, where, zone }: { readonly settings: Settings; readonly where: string; readonly zone: Zone },
): readonly Finding[] {
  const findings: Finding[] = [];
  const hostname = network.sites.find((site) => site.kind === "edge" && site.zone === zone)?.hostname;
  for (const key of ["workers_dev", "preview_urls"]) {
    if (settings[key] === false) continue;
    const severity = zone === "eu" ? "error" : "warning";
    findings.push({
      severity,
      where: `${where} ${key}`,
      found: `${key} is ${String(settings[key] ?? "not set")}: workers.dev answers from any location, past the zone's host name`,
      write: `${key}: false`,
    });
  }
  const routes = [settings["routes"], settings["route"]].flat().flatMap((route) => {
    if (typeof route === "string") return [route];
    return isRecord(route) && typeof route["pattern"] === "string" ? [route["pattern"]] : [];
  });
  if (routes.length === 0) {
    findings.push({
      severity: "error",
      where: `${where} routes`,
      found: "no route: the Worker is reachable under no host name of the zone",
      write: `routes: [{ pattern: "${hostname ?? "host"}", custom_domain: true }]`,
    });
  }
  for (const route of routes) {
    const [host = ""] = route.replace(/^https?:\/\//, "").split("/");
    if (host !== hostname) {
      findings.push({
        severity: "error",
        where: `${where} routes`,
        found: `the route ${route} is not the zone ${zone}'s host name, ${hostname ?? "which the network file does not name"}`,
        write: hostname ?? "a hostname at the edge site",
      });
    }
  }
  return findings;
}

function bucketFindings(
  network: Network,
  { settings, where, zone }: { readonly settings: Settings; readonly where: string; readonly zone: Zone },
): readonly Finding[] {
  const known = network.sites.flatMap((site) =>
    site.kind === "edge" && site.bucket !== undefined ? [{ zone: site.zone, ...site.bucket }] : [],
  );
  const bound = Array.isArray(settings["r2_buckets"]) ? settings["r2_buckets"].filter(isRecord) : [];
  const findings: Finding[] = [];
  for (const binding of bound) {
    const name = String(binding["bucket_name"] ?? "");
    const path = `${where} r2_buckets ${String(binding["binding"] ?? name)}`;
    const bucket = known.find((candidate) => candidate.name === name);
    if (zone === "global" && (bucket?.zone === "eu" || binding["jurisdiction"] !== undefined)) {
      findings.push({
        severity: "error",
        where: path,
        found: `the bucket ${name} has the jurisdiction eu and is bound in the zone global`,
        write: "nothing: remove this binding",
      });
    } else if (bucket === undefined) {
      findings.push({
        severity: "error",
        where: path,
        found: `the network file has no edge site with the bucket ${name}`,
        write: known.map((candidate) => candidate.name).join(" or "),
      });
    } else if (binding["jurisdiction"] !== bucket.jurisdiction) {
      findings.push({
        severity: "error",
        where: path,
        found: `jurisdiction ${String(binding["jurisdiction"] ?? "not set")}, where the network file says ${bucket.jurisdiction ?? "none"}`,
        write:
          bucket.jurisdiction === undefined
            ? "nothing: remove jurisdiction"
            : `jurisdiction: ${bucket.jurisdiction}`,
      });
    }
    const preview = binding["preview_bucket_name"];
    if (preview !== undefined && preview !== name) {
      findings.push({
        severity: "error",
        where: path,
        found: `the preview bucket ${String(preview)} is not in the network file`,
        write: "nothing: remove preview_bucket_name",
      });
    }
  }
  const needed = known.filter((bucket) => zone === "eu" || bucket.zone === zone);
  for (const bucket of needed.filter(
    ({ name }) => !bound.some((binding) => binding["bucket_name"] === name),
  )) {
    findings.push({
      severity: "error",
      where: `${where} r2_buckets`,
      found: `the zone ${zone} searches the bucket ${bucket.name}, which is not bound`,
      write: `{ bucket_name: "${bucket.name}"${bucket.jurisdiction === undefined ? "" : `, jurisdiction: "${bucket.jurisdiction}"`} }`,
    });
  }
  return findings;
}

/** What wrangler would deploy: the environment's keys over the inheritable ones of the top level. */
function deployed({ settings, environment }: WorkerFile): Settings | undefined {
  if (!isRecord(settings)) return undefined;
  if (environment === undefined) return settings;
  const environments = settings["env"];
  const chosen =
    isRecord(environments) && Object.hasOwn(environments, environment)
      ? environments[environment]
      : undefined;
  if (!isRecord(chosen)) return undefined;
  const inherited = Object.fromEntries(
    Object.entries(settings).filter(([key]) => key !== "env" && !NOT_INHERITED.has(key)),
  );
  return { ...inherited, ...chosen };
}

/** `queues: {}` or `triggers: { crons: [] }` binds nothing. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.values(value).every(isEmpty);
}

function isRecord(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
