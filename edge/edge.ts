/** The parts that every route of the edge uses. */
import { mayPass } from "@kattegat/config/residency.ts";
import { requestIdOf } from "@kattegat/protocol/hono/problems.ts";
import type { KeyScope } from "@kattegat/protocol/site-token.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { TokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import type { Context } from "hono";
import type { Edition } from "./edition.ts";
import type { Authentication } from "./http/authentication.ts";
import type { RateLimit } from "./http/rate-limit.ts";
import { randomHex, traceparentOf } from "./http/trace.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Metrics } from "./metrics.ts";
import type { ModelChoice } from "./search/model-choice.ts";
import type { EdgeSettings } from "./settings.ts";
import { createPrimaryReadiness, type PrimaryReadiness } from "./sites/primary-readiness.ts";
import type { RequestContext, SiteClient } from "./sites/site-client.ts";
import type { Usage } from "./usage.ts";

export interface EdgeParts {
  readonly settings: EdgeSettings;
  readonly primary: string;
  readonly bucket: R2Bucket;
  readonly scanner: Scanner;
  readonly sites: SiteClient;
  readonly serving: Edition;
  /** Of the model that is being prepared; null without one. */
  readonly next: Edition | null;
  readonly choice: ModelChoice;
  readonly authentication: Authentication;
  readonly rateLimit: RateLimit;
  readonly verifier: TokenVerifier;
  readonly knowledge: Knowledge;
  readonly usage: Usage;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly report: (error: unknown, requestId: string) => void;
}

export interface Edge extends EdgeParts {
  readonly primaryReadiness: PrimaryReadiness;
  /** Lets the request through when its key has the scope and has not asked too often. */
  admit(context: Context, scope: KeyScope): Promise<void>;
  requestContext(context: Context): RequestContext;
  /** Names the host name of the zone that carries every class, unless this is the one. */
  linkAlternate(context: Context): void;
}

export function createEdge(parts: EdgeParts): Edge {
  const { network, alternates, zone } = parts.settings;
  const carrier = [...alternates].find(([other]) =>
    Object.keys(network.classes).every((residency) => mayPass(network, residency, other)),
  );
  return {
    ...parts,
    primaryReadiness: createPrimaryReadiness(parts),
    async admit(context, scope) {
      const key = await parts.authentication.authenticate(context.req.header("authorization"), scope);
      parts.rateLimit.take(key.id);
    },
    requestContext: (context) => ({
      requestId: requestIdOf(context),
      traceparent: traceparentOf(context.req.header("traceparent"), randomHex),
    }),
    linkAlternate(context) {
      if (carrier !== undefined && carrier[0] !== zone) context.header("link", linkOf(carrier[1], context));
    },
  };
}

/** RFC 8288: the same resource at the other host name. */
export function linkOf(baseUrl: string, context: Context): string {
  return `<${baseUrl}${new URL(context.req.url).pathname}>; rel="alternate"`;
}
