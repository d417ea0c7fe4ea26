/** Reads the Worker's bindings once. */
import { networkSchema, type Network } from "@kattegat/config/network.ts";
import { callerKeySchema, type CallerKey } from "@kattegat/protocol/site-token.ts";
import type { JSONWebKeySet, JWK } from "jose";
import { z } from "zod";

/** What the deployment binds; `COLD_GLOBAL` exists in the zone eu alone. */
export interface EdgeBindings {
  readonly SITE: string;
  readonly ZONE: string;
  readonly NETWORK: string;
  readonly SITES: string;
  readonly ALTERNATES: string;
  readonly CALLER_KEYS: string;
  readonly SIGNING_KEY: string;
  readonly JWKS: string;
  readonly LOCAL?: string;
  readonly KATTEGAT_EMBEDDING_KEY?: string;
  readonly COLD: R2Bucket;
  readonly COLD_GLOBAL?: R2Bucket;
}

export interface EdgeSettings {
  readonly site: string;
  readonly zone: "eu" | "global";
  readonly network: Network;
  /** Base URL of each site that takes requests from this edge. */
  readonly sites: ReadonlyMap<string, string>;
  /** Public base URL of each zone. */
  readonly alternates: ReadonlyMap<string, string>;
  readonly callerKeys: readonly CallerKey[];
  readonly signingKey: JWK;
  readonly jwks: JSONWebKeySet;
  /** Takes the caller's place from headers, which a deployed edge ignores. */
  readonly isLocal: boolean;
  readonly embeddingKey: string | null;
}

/** Everything that is wrong with the bindings, in one message. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

const urls = z.record(z.string(), z.url({ protocol: /^https?$/ }));

function jsonOf<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: "expected JSON text" });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

const bindingsSchema = z.object({
  SITE: z.string().min(1),
  ZONE: z.enum(["eu", "global"]),
  NETWORK: jsonOf(networkSchema),
  SITES: jsonOf(urls),
  ALTERNATES: jsonOf(urls),
  CALLER_KEYS: jsonOf(z.array(callerKeySchema)),
  SIGNING_KEY: jsonOf(z.looseObject({ kty: z.string(), kid: z.string() })),
  JWKS: jsonOf(z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })),
  LOCAL: z.string().optional(),
  KATTEGAT_EMBEDDING_KEY: z.string().optional(),
});

/** @throws {SettingsError} naming each binding that does not fit; values are secret and never shown. */
export function readSettings(bindings: EdgeBindings): EdgeSettings {
  const result = bindingsSchema.safeParse(bindings);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new SettingsError(`The bindings of this edge do not fit:\n${problems.join("\n")}`);
  }
  const { data } = result;
  const site = data.NETWORK.sites.find((candidate) => candidate.id === data.SITE);
  if (site === undefined || site.kind !== "edge" || site.zone !== data.ZONE) {
    throw new SettingsError(
      `SITE: expected an edge site of zone ${data.ZONE} in the network file; ${data.SITE} is none`,
    );
  }
  return {
    site: data.SITE,
    zone: data.ZONE,
    network: data.NETWORK,
    sites: new Map(Object.entries(data.SITES).map(([id, url]) => [id, url.replace(/\/+$/, "")])),
    alternates: new Map(
      Object.entries(data.ALTERNATES).map(([zone, url]) => [zone, url.replace(/\/+$/, "")]),
    ),
    callerKeys: data.CALLER_KEYS,
    signingKey: data.SIGNING_KEY,
    jwks: data.JWKS,
    isLocal: data.LOCAL === "true",
    embeddingKey: data.KATTEGAT_EMBEDDING_KEY ?? null,
  };
}
