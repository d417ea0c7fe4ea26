/** The settings of the `kattegat` command with the local network. */
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BucketSettings } from "@kattegat/replication/archive/open-bucket.ts";
import { z } from "zod";

/** The folder of the repository, where the documented commands are started. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The last port from which a hundred further ones can follow. */
const PORT_MAX = 65_400;

const environmentSchema = z.object({
  KATTEGAT_DATA: z.string().min(1).default(".kattegat"),
  KATTEGAT_PORT: z.coerce.number().int().min(1).max(PORT_MAX).default(8787),
  KATTEGAT_CONFIG: z.string().min(1).default(join("config", "network.yaml")),
  KATTEGAT_SAMPLE: z.enum(["all", "few", "none"]).default("all"),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  KATTEGAT_EMBEDDING_KEY: z.string().optional(),
  QDRANT_API_KEY: z.string().optional(),
  AWS_REGION: z.string().min(1).optional(),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AWS_SESSION_TOKEN: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
});

/** What every process of the local network needs from the user's environment, nothing else of it. */
const INHERITED = [
  "PATH",
  "HOME",
  "TMPDIR",
  "LANG",
  "TZ",
  "SystemRoot",
  "HTTPS_PROXY",
  "NODE_EXTRA_CA_CERTS",
  "KATTEGAT_BASE_PASSAGES_MIN",
  "KATTEGAT_COMPARE_EVERY_MS",
  "KATTEGAT_COMPARE_BYTES_PER_SECOND",
  "KATTEGAT_REPAIRS_PER_MINUTE",
  "KATTEGAT_SCRUB_OBJECTS_PER_SECOND",
  "KATTEGAT_SCRUB_PASS_MS_MIN",
  "KATTEGAT_SCRUB_POINTS_PER_SECOND",
] as const;

const EXPECTED: Readonly<Record<string, string>> = {
  KATTEGAT_DATA: "a folder",
  KATTEGAT_PORT: `a port from 1 to ${PORT_MAX}`,
  KATTEGAT_CONFIG: "the path of a network file",
  KATTEGAT_SAMPLE: "`all` (the default), `few` or `none`",
  DATABASE_URL: "an address such as postgres://user:password@host:5432/kattegat",
  LOG_LEVEL: "trace, debug, info, warn, error or fatal",
};

export interface Settings {
  /** Absolute path of the data folder. */
  readonly data: string;
  /** The data folder as the user wrote it, for messages. */
  readonly dataShown: string;
  readonly port: number;
  /** Absolute path of the network file. */
  readonly config: string;
  readonly configShown: string;
  readonly samples: "all" | "few" | "none";
  readonly databaseUrl: string | null;
  /** Site id → address of a Qdrant cluster that replaces the embedded server. */
  readonly qdrantUrls: ReadonlyMap<string, string>;
  /** Of every Qdrant cluster that replaces an embedded server. */
  readonly qdrantApiKey: string | null;
  /** Site id → address of an S3 server that replaces the embedded one. */
  readonly archiveUrls: ReadonlyMap<string, string>;
  /** How such a server is asked; the embedded one has a key of its own. */
  readonly archiveAccess: Omit<BucketSettings, "endpoints">;
  /** Of the OpenAI-compatible endpoint that the network file names. */
  readonly embeddingKey: string | null;
  readonly logLevel: string;
  /** Variables that the local network's processes take over as they are. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** The settings are wrong; the message lists every problem. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** `folder` is where relative paths start. @throws {SettingsError} */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = ROOT,
): Settings {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => problemOf(String(issue.path[0]), given));
  const qdrantUrls = new Map<string, string>();
  const archiveUrls = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (name.startsWith(QDRANT)) {
      if (value.split(",").every((part) => URL.canParse(part.trim())))
        qdrantUrls.set(siteOfVariable(name, QDRANT), value);
      else
        problems.push(
          `${name}: expected one or several addresses such as http://10.0.0.5:6333, separated by commas`,
        );
    }
    if (name.startsWith(ARCHIVE)) {
      if (URL.canParse(value)) archiveUrls.set(siteOfVariable(name, ARCHIVE), value);
      else problems.push(`${name}: expected the address of an S3 server, such as https://s3.example.dk`);
    }
  }
  if (archiveUrls.size > 0 && !(given["AWS_ACCESS_KEY_ID"] && given["AWS_SECRET_ACCESS_KEY"]))
    problems.push("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected the key of the archive's bucket");
  if (!parsed.success || problems.length > 0) {
    throw new SettingsError(
      `The environment has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  }
  const values = parsed.data;
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  return {
    data: absolute(values.KATTEGAT_DATA),
    dataShown: values.KATTEGAT_DATA,
    port: values.KATTEGAT_PORT,
    config: absolute(values.KATTEGAT_CONFIG),
    configShown: values.KATTEGAT_CONFIG,
    samples: values.KATTEGAT_SAMPLE,
    databaseUrl: values.DATABASE_URL ?? null,
    qdrantUrls,
    qdrantApiKey: values.QDRANT_API_KEY ?? null,
    archiveUrls,
    archiveAccess: {
      region: values.AWS_REGION ?? "us-east-1",
      accessKeyId: values.AWS_ACCESS_KEY_ID,
      secretAccessKey: values.AWS_SECRET_ACCESS_KEY,
      sessionToken: values.AWS_SESSION_TOKEN,
    },
    embeddingKey: values.KATTEGAT_EMBEDDING_KEY ?? null,
    logLevel: values.LOG_LEVEL,
    inherited: Object.fromEntries(
      INHERITED.flatMap((name) => {
        const value = environment[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
  };
}

/** @throws {SettingsError} */
export function processSettings(): Settings {
  return readSettings(process.env);
}

const QDRANT = "QDRANT_URL_";
const ARCHIVE = "ARCHIVE_URL_";

/** The variable that names the S3 server of an archive: `ARCHIVE_URL_ARCHIVE_DK` for `archive-dk`. */
export function archiveVariable(site: string): string {
  return `${ARCHIVE}${site.toUpperCase().replaceAll("-", "_")}`;
}

/** The other way round, which a site's id allows: `QDRANT_URL_EU_FRA` speaks of the site `eu-fra`. */
function siteOfVariable(name: string, prefix: string): string {
  return name.slice(prefix.length).toLowerCase().replaceAll("_", "-");
}

function problemOf(name: string, given: Readonly<Record<string, string | undefined>>): string {
  // An address may hold a password, so its value is not shown.
  const came = name.endsWith("_URL") ? "something else" : JSON.stringify(given[name] ?? null);
  return `${name}: expected ${EXPECTED[name] ?? "another value"}; ${came} came`;
}
