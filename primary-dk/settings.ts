/** What the primary is told by its environment. */
import { BASE_PASSAGES_MIN } from "@kattegat/engine/cold/manifest-base.ts";
import { z } from "zod";

const settingsSchema = z.object({
  KATTEGAT_CONFIG: z.string().min(1, "expected the path of network.yaml"),
  KATTEGAT_SITE: z.string().min(1, "expected a site id of kind primary, such as dk-cph"),
  KATTEGAT_JWKS: z.string().min(1, "expected the path of the senders' public keys"),
  KATTEGAT_SITES: z
    .string()
    .default("{}")
    .transform((text, context) => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue("expected a JSON object of site ids and URLs");
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string(), z.string())),
  KATTEGAT_DATA: z.string().min(1).optional(),
  KATTEGAT_LEDGER_KEY: z
    .string()
    .min(1, "expected the path of an Ed25519 private key (PKCS #8, PEM) that signs the ledger's checkpoints"),
  /** As replication's: more at once is a disaster that a person should look at first. */
  KATTEGAT_REPAIRS_PER_MINUTE: z.coerce.number().int().min(0).default(600),
  KATTEGAT_REPLACED_DAYS: z.coerce.number().int().min(0).max(3_650).default(7),
  KATTEGAT_KEYRING: z.string().min(1).optional(),
  KATTEGAT_ROOT_KEY: z
    .string()
    .min(
      1,
      "expected the path of the file with the root key: 32 bytes in base64url, readable by its owner alone",
    ),
  KATTEGAT_BASE_PASSAGES_MIN: z.coerce.number().int().min(1).default(BASE_PASSAGES_MIN),
  KATTEGAT_EMBEDDING_KEY: z.string().min(1).optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "expected postgres://user:password@host:port/database"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

export type Settings = z.infer<typeof settingsSchema>;

/** @throws {Error} that lists every variable that is wrong, without its value. */
export function parseSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const result = settingsSchema.safeParse(variables);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`the environment has ${lines.length} problem(s):\n${lines.join("\n")}`);
}

export function processSettings(): Settings {
  return parseSettings(process.env);
}
