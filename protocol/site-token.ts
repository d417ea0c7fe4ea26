/** The signed token that every request between sites carries. */
import { z } from "zod";

/** A token lives this long: the contract's minute, which also bounds how far clocks may differ. */
export const SITE_TOKEN_LIFETIME_SECONDS = 60;
/** A sender makes a new token after this time, so that none expires on its way. */
export const SITE_TOKEN_REUSE_SECONDS = 30;
export const SITE_TOKEN_ALGORITHM = "EdDSA";

export const siteTokenClaimsSchema = z.object({
  iss: z.string(),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  epoch: z.int().min(0),
});
/** `iss` the sending site or service, `aud` the receiving site, `epoch` the reign that the sender knows. */
export type SiteTokenClaims = z.infer<typeof siteTokenClaimsSchema>;

export const KEY_SCOPES = ["search", "write", "admin"] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** A caller's key as the edge knows it: never the key, only its SHA-256. */
export const callerKeySchema = z.strictObject({
  id: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(KEY_SCOPES)).min(1),
  created_at: z.string(),
});
export type CallerKey = z.infer<typeof callerKeySchema>;

/** Names the operator in the tokens of its commands. */
export const OPERATOR = "ops";

/** Names the replication in the tokens of its requests. */
export const REPLICATION = "replication";
