/** Routes that answer the operator alone: other sites need nothing of what an organisation keeps. */
import type { MiddlewareHandler } from "hono";
import { KattegatError } from "../errors.ts";
import { OPERATOR } from "../site-token.ts";

/** Stands behind `siteAuth`, which says who asks. */
export const operatorOnly: MiddlewareHandler<{ Variables: { issuer: string } }> = async (context, next) => {
  const issuer = context.get("issuer");
  if (issuer !== OPERATOR)
    throw new KattegatError("forbidden", `Expected a token of ${OPERATOR}; one of ${issuer} came.`);
  await next();
};
