/** What the environment says to this process. */
import { tmpdir } from "node:os";
import { BASE_PASSAGES_MIN } from "@kattegat/engine/cold/manifest-base.ts";
import { z } from "zod";

const urlsSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "expected JSON" });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.url()));

const settingsSchema = z.object({
  KATTEGAT_CONFIG: z.string().min(1),
  KATTEGAT_SITE: z.string().min(1).default("replication"),
  KATTEGAT_JWKS: z.string().min(1),
  KATTEGAT_SIGNING_KEY: z.string().min(1),
  KATTEGAT_SITES: urlsSchema,
  /** The S3 server of each archive. Its bucket stands in the network file, its key here. */
  KATTEGAT_ARCHIVES: urlsSchema.default({}),
  AWS_REGION: z.string().min(1).default("us-east-1"),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AWS_SESSION_TOKEN: z.string().min(1).optional(),
  /** The reign known at the start; later ones are learned from the feed. */
  KATTEGAT_EPOCH: z.coerce.number().int().min(1).default(1),
  /** Where a base's texts wait while it is made; a gigabyte for 600,000 passages. */
  KATTEGAT_SPOOL: z.string().min(1).default(tmpdir()),
  /** Cold passages that are scanned before lists around centroids are worth their making. */
  KATTEGAT_BASE_PASSAGES_MIN: z.coerce.number().int().min(1).default(BASE_PASSAGES_MIN),
  /** Each site's copies are compared with the plan once in so long. */
  KATTEGAT_COMPARE_EVERY_MS: z.coerce.number().int().min(100).default(10_000),
  /** What comparing may send and fetch; a second in which nothing differs costs a few hundred bytes. */
  KATTEGAT_COMPARE_BYTES_PER_SECOND: z.coerce.number().int().min(1).default(100_000),
  /** Repairs of each site. More at once is a disaster that a person should look at first. */
  KATTEGAT_REPAIRS_PER_MINUTE: z.coerce.number().int().min(0).default(600),
  /** Of each archive: its objects are read over and over, which a provider asks money for. A million take fourteen hours. */
  KATTEGAT_SCRUB_OBJECTS_PER_SECOND: z.coerce.number().min(0.1).max(10_000).default(20),
  /** A pass over an archive lasts so long at least: a small one is not read all the time. */
  KATTEGAT_SCRUB_PASS_MS_MIN: z.coerce.number().int().min(1).default(60_000),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export type Settings = z.infer<typeof settingsSchema>;

/** @throws {Error} that lists every bad variable. */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const result = settingsSchema.safeParse(environment);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(
    `The environment of replication has ${problems.length} problem(s):\n${problems.join("\n")}`,
  );
}
