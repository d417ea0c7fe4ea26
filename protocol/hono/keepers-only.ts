/** Routes that answer those who keep copies right: the operator with the replication. */
import type { MiddlewareHandler } from "hono";
import { KattegatError } from "../errors.ts";
import { OPERATOR, REPLICATION } from "../site-token.ts";

/** Stands behind `siteAuth`, which says who asks. */
export const keepersOnly: MiddlewareHandler<{ Variables: { issuer: string } }> = async (context, next) => {
  const issuer = context.get("issuer");
  if (issuer !== OPERATOR && issuer !== REPLICATION)
    throw new KattegatError(
      "forbidden",
      `Expected a token of ${OPERATOR} or ${REPLICATION}; one of ${issuer} came.`,
    );
  await next();
};
