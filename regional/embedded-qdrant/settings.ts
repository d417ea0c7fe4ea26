/** What the embedded Qdrant server is told by its environment. */
import { z } from "zod";

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(6_333),
  KATTEGAT_DATA: z.string().min(1, "expected the folder that holds the points"),
  QDRANT_API_KEY: z.string().min(1).optional(),
  QDRANT_READ_ONLY_API_KEY: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export interface Settings {
  readonly port: number;
  readonly folder: string;
  readonly apiKey: string | null;
  readonly readOnlyApiKey: string | null;
  readonly logLevel: string;
}

/** @throws {Error} that lists every variable that is wrong. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const result = environment.safeParse(variables);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`the environment has ${lines.length} problem(s):\n${lines.join("\n")}`);
  }
  const { PORT, KATTEGAT_DATA, QDRANT_API_KEY, QDRANT_READ_ONLY_API_KEY, LOG_LEVEL } = result.data;
  return {
    port: PORT,
    folder: KATTEGAT_DATA,
    apiKey: QDRANT_API_KEY ?? null,
    readOnlyApiKey: QDRANT_READ_ONLY_API_KEY ?? null,
    logLevel: LOG_LEVEL,
  };
}

/** @throws {Error} when the process's environment is not as expected. */
export function processSettings(): Settings {
  return readSettings(process.env);
}
