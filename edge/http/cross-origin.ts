/** What a page of another origin may do here. */
import type { MiddlewareHandler } from "hono";

/** A browser asks again after a day. */
const PREFLIGHT_SECONDS = 86_400;
const READABLE = "link, retry-after, x-request-id";

/**
 * Any page may search with a key that its user has given it: keys travel in a header, never in a cookie, so a foreign page
 * has no key of its own. Everything else stays closed to browsers: a key that may write does not belong in a page.
 */
export const allowSearchFromPages: MiddlewareHandler = async (context, next) => {
  context.header("access-control-allow-origin", "*");
  context.header("access-control-expose-headers", READABLE);
  if (context.req.method !== "OPTIONS") return next();
  context.header("access-control-allow-methods", "GET, POST");
  context.header("access-control-allow-headers", "authorization, content-type, traceparent, x-request-id");
  context.header("access-control-max-age", String(PREFLIGHT_SECONDS));
  return context.body(null, 204);
};
