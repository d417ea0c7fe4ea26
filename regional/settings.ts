/** What the regional service is told by its environment. */
import { z } from "zod";

/** A million points are read anew in half an hour, for a twelfth of a core here. */
const SCRUB_POINTS_PER_SECOND = 500;
const SCRUB_PASS_MS_MIN = 60_000;

const environment = z.object({
  KATTEGAT_CONFIG: z.string().min(1, "expected the path of network.yaml"),
  KATTEGAT_SITE: z.string().min(1, "expected a site id of kind regional, such as eu-fra"),
  KATTEGAT_JWKS: z.string().min(1, "expected the path of the senders' public keys"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  QDRANT_URL: z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((url) => url.trim())
        .filter((url) => url !== ""),
    )
    .pipe(
      z
        .array(
          z.url({
            protocol: /^https?$/,
            error: "expected http or https URLs, separated by commas, the nearest first",
          }),
        )
        .min(1),
    ),
  QDRANT_API_KEY: z.string().min(1).optional(),
  KATTEGAT_SCRUB_POINTS_PER_SECOND: z.coerce
    .number()
    .int("expected a whole number of points")
    .min(1)
    .max(1_000_000)
    .default(SCRUB_POINTS_PER_SECOND),
  KATTEGAT_SCRUB_PASS_MS_MIN: z.coerce
    .number()
    .int("expected a whole number of milliseconds")
    .min(1)
    .default(SCRUB_PASS_MS_MIN),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export interface Settings {
  readonly configPath: string;
  readonly site: string;
  readonly jwksPath: string;
  readonly port: number;
  /** The nearest first. */
  readonly qdrantUrls: readonly string[];
  readonly qdrantApiKey: string | null;
  /** How fast the copies are read over and over, so that damage is seen. */
  readonly scrubPointsPerSecond: number;
  readonly scrubPassMsMin: number;
  readonly logLevel: string;
}

/** @throws {Error} that lists every variable that is wrong. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const result = environment.safeParse(variables);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`the environment has ${lines.length} problem(s):\n${lines.join("\n")}`);
  }
  const { data } = result;
  return {
    configPath: data.KATTEGAT_CONFIG,
    site: data.KATTEGAT_SITE,
    jwksPath: data.KATTEGAT_JWKS,
    port: data.PORT,
    qdrantUrls: data.QDRANT_URL,
    qdrantApiKey: data.QDRANT_API_KEY ?? null,
    scrubPassMsMin: data.KATTEGAT_SCRUB_PASS_MS_MIN,
    scrubPointsPerSecond: data.KATTEGAT_SCRUB_POINTS_PER_SECOND,
    logLevel: data.LOG_LEVEL,
  };
}

/** @throws {Error} when the process's environment is not as expected. */
export function processSettings(): Settings {
  return readSettings(process.env);
}
