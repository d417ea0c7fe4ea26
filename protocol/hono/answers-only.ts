/** Routes that answer some senders alone: no site's key opens what another site, or the organisation, keeps. */
import type { MiddlewareHandler } from "hono";
import { KattegatError } from "../errors.ts";
import { OPERATOR, REPLICATION } from "../site-token.ts";

type Guard = MiddlewareHandler<{ Variables: { issuer: string } }>;

/** Stands behind `siteAuth`, which says who asks. */
function answersOnly(...issuers: readonly string[]): Guard {
  return async (context, next) => {
    const issuer = context.get("issuer");
    if (!issuers.includes(issuer))
      throw new KattegatError(
        "forbidden",
        `Expected a token of ${issuers.join(" or ")}; one of ${issuer} came.`,
      );
    await next();
  };
}

export const operatorOnly = answersOnly(OPERATOR);
/** What moves copies, or tells the contents of a log. */
export const replicationOnly = answersOnly(REPLICATION);
/** Those who keep copies right. */
export const keepersOnly = answersOnly(OPERATOR, REPLICATION);
