/** The edge's parts with its routes. */
import { Hono, type Context } from "hono";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { answerProblems, requestIdOf, requestIds } from "@kattegat/protocol/hono/problems.ts";
import type { KeyScope } from "@kattegat/protocol/site-token.ts";
import type { TokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import type { ColdTier } from "./cold/cold-tier.ts";
import type { Authentication } from "./http/authentication.ts";
import type { RateLimit } from "./http/rate-limit.ts";
import { randomHex, traceparentOf } from "./http/trace.ts";
import { coldRoutes } from "./routes/cold.ts";
import { documentRoutes } from "./routes/documents.ts";
import { searchRoutes } from "./routes/search.ts";
import type { EdgeSettings } from "./settings.ts";
import type { RequestContext, SiteClient } from "./sites/site-client.ts";

/** A status that takes longer tells by that alone that the primary is not well. */
const STATUS_MS_MAX = 3_000;

export interface EdgeParts {
  readonly settings: EdgeSettings;
  readonly primary: string;
  readonly bucket: R2Bucket;
  readonly sites: SiteClient;
  readonly cold: ColdTier;
  readonly embedder: Embedder;
  readonly authentication: Authentication;
  readonly rateLimit: RateLimit;
  readonly verifier: TokenVerifier;
  readonly now: () => number;
  readonly report: (error: unknown, requestId: string) => void;
}

export interface Edge extends EdgeParts {
  /** Lets the request through when its key has the scope and has not asked too often. */
  admit(context: Context, scope: KeyScope): Promise<void>;
  requestContext(context: Context): RequestContext;
}

export function createApp(parts: EdgeParts): Hono {
  const edge: Edge = {
    ...parts,
    async admit(context, scope) {
      const key = await parts.authentication.authenticate(context.req.header("authorization"), scope);
      parts.rateLimit.take(key.id);
    },
    requestContext: (context) => ({
      requestId: requestIdOf(context),
      traceparent: traceparentOf(context.req.header("traceparent"), randomHex),
    }),
  };
  const app = new Hono();
  app.use(requestIds(() => randomHex(32)));
  answerProblems(app, parts.report);
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    // An edge without a first generation is ready: it holds all that there is.
    const isReadable = await Promise.all(
      parts.cold.sites.map((site) => parts.cold.index(site)?.manifests.read()),
    ).then(
      () => true,
      () => false,
    );
    return isReadable
      ? context.json({ status: "ok" })
      : context.json(
          { status: "not_ready", reason: "object storage gave no manifest that can be read" },
          503,
        );
  });
  app.get("/v1/network", async (context) => {
    await edge.admit(context, "search");
    const status = await parts.sites.ask(parts.primary, networkStatusSchema, {
      method: "GET",
      path: "/internal/network",
      signal: AbortSignal.timeout(STATUS_MS_MAX),
      context: edge.requestContext(context),
    });
    return context.json(status);
  });
  searchRoutes(app, edge);
  documentRoutes(app, edge);
  coldRoutes(app, edge);
  return app;
}
