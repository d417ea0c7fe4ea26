/** Routes that answer the operator alone: other sites need nothing of what an organisation keeps. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { OPERATOR } from "@kattegat/protocol/site-token.ts";
import { createMiddleware } from "hono/factory";
import type { Variables } from "./app.ts";

export const operatorOnly = createMiddleware<Variables>(async (context, next) => {
  const issuer = context.get("issuer");
  if (issuer !== OPERATOR)
    throw new KattegatError("forbidden", `Expected a token of ${OPERATOR}; one of ${issuer} came.`);
  await next();
});
