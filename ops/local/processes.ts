/** The processes of the local network. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Network, Site } from "@kattegat/config/network.ts";
import { ROOT, type Settings } from "../settings.ts";
import { planArchives } from "./archives.ts";
import { embeddedDatabaseUrl } from "./database-url.ts";
import type { EdgeWorker } from "./edge-host.ts";
import {
  HEAP,
  runningSites,
  withoutPassword,
  type ExternalEngine,
  type LocalProcess,
  type Plan,
  type PlanOptions,
  type Service,
} from "./plan.ts";
import { EDGE, POSTGRES, REPLICATION, processNames, qdrantName } from "./process-names.ts";

const FLAGS = ["--no-warnings", `--import=${pathToFileURL(join(ROOT, "ops", "local", "rest.ts")).href}`];

/** The zone whose port the user chooses. */
const FIRST_ZONE = "eu";

/** Who needs a port besides the first edge, in the order in which they get one. The edges are one process with an address for each. */
export function portNames(network: Network, settings: Settings): readonly string[] {
  return [
    ...runningSites(network, "edge")
      .filter(({ zone }) => zone !== FIRST_ZONE)
      .map(({ id }) => id),
    ...processNames(network, settings).filter((name) => name !== EDGE),
  ];
}

// oxlint-disable-next-line max-lines-per-function -- one list of processes, read from top to bottom
export function planProcesses(options: PlanOptions): Plan {
  const { network, settings, folder, ports } = options;
  const address = (name: string): string => `http://127.0.0.1:${ports.get(name) ?? settings.port}`;
  const edgeSites = runningSites(network, "edge");
  const regionals = runningSites(network, "regional");
  const primaries = runningSites(network, "primary");
  const sites = Object.fromEntries(
    [...primaries, ...regionals, ...edgeSites].map(({ id }) => [id, address(id)]),
  );
  const edges = Object.fromEntries(edgeSites.map(({ id, zone }) => [zone ?? id, address(id)]));
  const service: Service = (name, script, heap, environment) => ({
    name,
    script: join(ROOT, script),
    nodeFlags: [...FLAGS, ...HEAP[heap]],
    environment: {
      ...MALLOC,
      ...settings.inherited,
      // V8 refuses code that was cached under other flags, and the next process would overwrite it.
      NODE_COMPILE_CACHE: join(folder.compileCache, heap),
      LOG_LEVEL: settings.logLevel,
      KATTEGAT_CONFIG: settings.config,
      KATTEGAT_SITE: name,
      KATTEGAT_SITES: JSON.stringify(sites),
      KATTEGAT_JWKS: folder.jwks,
      KATTEGAT_DATA: folder.site(name),
      PORT: String(ports.get(name) ?? settings.port),
      ...environment,
    },
    logPath: folder.log(name),
  });
  const external: ExternalEngine[] = [];
  const processes: LocalProcess[] = [];

  if (settings.databaseUrl === null) {
    const environment = {
      KATTEGAT_DATA: folder.postgres,
      KATTEGAT_POSTGRES_PASSWORD_FILE: folder.postgresPassword,
    };
    const spec = service(POSTGRES, "ops/local/postgres-host.ts", "helper", environment);
    processes.push({
      spec,
      site: primaries[0]?.id ?? "",
      role: "Postgres",
      url: `postgres://127.0.0.1:${ports.get(POSTGRES) ?? ""}`,
      after: [],
      readiness: [],
    });
  } else {
    external.push({
      site: primaries[0]?.id ?? "",
      role: "Postgres (DATABASE_URL)",
      url: withoutPassword(settings.databaseUrl),
    });
  }
  for (const { id } of primaries) {
    const environment = {
      DATABASE_URL: settings.databaseUrl ?? embeddedDatabaseUrl(folder, ports.get(POSTGRES) ?? 0),
      KATTEGAT_ROOT_KEY: folder.rootKey,
      KATTEGAT_LEDGER_KEY: folder.ledgerKey,
      ...embeddingKey(settings),
    };
    const spec = service(id, "primary-dk/main.ts", "primary", environment);
    processes.push({
      spec,
      site: id,
      role: "primary",
      url: address(id),
      after: settings.databaseUrl === null ? [POSTGRES] : [],
      readiness: [address(id)],
    });
  }
  for (const { id } of regionals) {
    const given = settings.qdrantUrls.get(id);
    const qdrant = qdrantName(id);
    if (given === undefined) {
      const spec = service(qdrant, "regional/embedded-qdrant/main.ts", "qdrant", {});
      const url = address(qdrant);
      processes.push({ spec, site: id, role: "embedded Qdrant", url, after: [], readiness: [url] });
    } else {
      external.push({ site: id, role: "Qdrant (QDRANT_URL)", url: withoutPassword(given) });
    }
    const environment = {
      QDRANT_URL: given ?? address(qdrant),
      ...(given === undefined || settings.qdrantApiKey === null
        ? {}
        : { QDRANT_API_KEY: settings.qdrantApiKey }),
    };
    const spec = service(id, "regional/main.ts", "regional", environment);
    processes.push({
      spec,
      site: id,
      role: "regional",
      url: address(id),
      after: given === undefined ? [qdrant] : [],
      readiness: [address(id)],
    });
  }
  const archives = planArchives(options, service);
  processes.push(...archives.processes);
  external.push(...archives.external);
  const workers = edgeSites.map((site) => edgeWorker(site, { ...options, sites, edges }));
  const edgeHost = service(EDGE, "ops/local/edge-host.ts", "helper", {
    KATTEGAT_EDGE_WORKERS: JSON.stringify(workers),
    KATTEGAT_R2: folder.r2,
  });
  processes.push({
    spec: edgeHost,
    site: edgeSites.map(({ id }) => id).join(", "),
    role: "edge",
    url: Object.values(edges).join(" "),
    after: [],
    readiness: Object.values(edges),
  });
  const replication = service(REPLICATION, "replication/main.ts", "replication", {
    KATTEGAT_SIGNING_KEY: folder.signingKey("replication"),
    KATTEGAT_SPOOL: folder.site(REPLICATION),
    ...archives.environment,
  });
  processes.push({
    spec: replication,
    site: primaries[0]?.id ?? "",
    role: "replication",
    url: address(REPLICATION),
    after: [...primaries.map(({ id }) => id), EDGE, ...archives.processes.map(({ spec }) => spec.name)],
    readiness: [address(REPLICATION)],
  });
  return { processes, external, edges, sites: { ...sites, replication: address(REPLICATION) } };
}

function edgeWorker(
  site: Site,
  { network, settings, folder, callers, ports, sites, edges }: PlanOptions & Pick<Plan, "sites" | "edges">,
): EdgeWorker {
  const bucketOf = (zone: string): string | undefined =>
    network.sites.find((other) => other.kind === "edge" && other.zone === zone)?.bucket?.name;
  const own = bucketOf(site.zone ?? "");
  const global = bucketOf("global");
  return {
    site: site.id,
    port: ports.get(site.id) ?? settings.port,
    bindings: {
      SITE: site.id,
      ZONE: site.zone ?? "",
      NETWORK: JSON.stringify(network),
      SITES: JSON.stringify(sites),
      ALTERNATES: JSON.stringify(edges),
      CALLER_KEYS: JSON.stringify(callers),
      SIGNING_KEY: readFileSync(folder.signingKey("edge"), "utf8"),
      JWKS: readFileSync(folder.jwks, "utf8"),
      LOCAL: "true",
      ...embeddingKey(settings),
    },
    // The EU zone reads both cold indexes; the global zone never binds the EU's bucket.
    buckets: {
      ...(own === undefined ? {} : { COLD: own }),
      ...(site.zone === FIRST_ZONE && global !== undefined ? { COLD_GLOBAL: global } : {}),
    },
  };
}

/** The primary embeds documents, an edge embeds queries: both call the endpoint. */
function embeddingKey({ embeddingKey: key }: Settings): Readonly<Record<string, string>> {
  return key === null ? {} : { KATTEGAT_EMBEDDING_KEY: key };
}

/** glibc otherwise reserves an arena for each thread and keeps freed buffers; both cost memory while idle. */
const MALLOC = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072", MALLOC_MMAP_THRESHOLD_: "131072" };
