/** The check of the site token on a Hono route. */
import type { MiddlewareHandler } from "hono";
import type { TokenVerifier } from "../token-verifier.ts";

/** Lets a request through when its site token verifies; `context.get("issuer")` is then its sender. */
export function siteAuth(verifier: TokenVerifier): MiddlewareHandler<{ Variables: { issuer: string } }> {
  return async (context, next) => {
    const claims = await verifier.verify(context.req.header("authorization"));
    context.set("issuer", claims.iss);
    await next();
  };
}
