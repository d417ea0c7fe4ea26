/** What the embedded S3 server is told by its environment. */
import { z } from "zod";

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(9_000),
  KATTEGAT_DATA: z.string().min(1, "expected the folder that holds the objects"),
  /** They are made at the start. */
  KATTEGAT_BUCKETS: z
    .string()
    .regex(/^[a-z0-9.-]{3,63}(,[a-z0-9.-]{3,63})*$/, "expected names of buckets, separated by commas"),
  AWS_ACCESS_KEY_ID: z.string().min(1),
  AWS_SECRET_ACCESS_KEY: z.string().min(16, "expected 16 characters at least"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export type Settings = z.infer<typeof environment>;

/** @throws {Error} that lists every variable that is wrong. */
export function processSettings(): Settings {
  const result = environment.safeParse(process.env);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`the environment has ${lines.length} problem(s):\n${lines.join("\n")}`);
}
