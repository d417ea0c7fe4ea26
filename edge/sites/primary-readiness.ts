/** What the primary says of its own readiness. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { RequestContext, SiteClient } from "./site-client.ts";

/** A load balancer asks many edges every few seconds; a fall of the primary is still seen within two questions. */
const REMEMBERED_MS = 1_000;
/** The primary gives its Postgres one second; the rest is the way. */
const ANSWER_MS_MAX = 1_500;
/** A reason is one sentence. */
const REASON_CHARACTERS_MAX = 300;

export interface PrimaryReadiness {
  /** Resolves with why the primary cannot answer, null when it can; an answer of the last second is given again. */
  fault(context: RequestContext): Promise<string | null>;
}

/** The breaker alone would not do: it hears of a dead primary only when somebody searches, and a 503 is an answer. */
export function createPrimaryReadiness({
  sites,
  primary,
  now,
}: {
  readonly sites: SiteClient;
  readonly primary: string;
  readonly now: () => number;
}): PrimaryReadiness {
  let known: { readonly atMs: number; readonly fault: string | null } | null = null;
  return {
    async fault(context) {
      // A value is remembered, never the request that brings it: a Worker may not wait for another request's answer.
      const isFresh = known !== null && now() - known.atMs < REMEMBERED_MS;
      if (known !== null && isFresh && sites.stateOf(primary).kind === "closed") return known.fault;
      const fault = await ask({ sites, primary }, context);
      known = { atMs: now(), fault };
      return fault;
    },
  };
}

async function ask(
  { sites, primary }: { readonly sites: SiteClient; readonly primary: string },
  context: RequestContext,
): Promise<string | null> {
  try {
    const response = await sites.send(primary, {
      method: "GET",
      path: "/readyz",
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      context,
    });
    const answer: unknown = await response.json().catch(() => null);
    return response.ok
      ? null
      : `${primary} is not ready: ${reasonIn(answer) ?? `it answers ${response.status}`}`;
  } catch (error) {
    if (!(error instanceof KattegatError)) throw error;
    return error.message.replace(/\.$/, "");
  }
}

function reasonIn(answer: unknown): string | null {
  return typeof answer === "object" &&
    answer !== null &&
    "reason" in answer &&
    typeof answer.reason === "string"
    ? answer.reason.slice(0, REASON_CHARACTERS_MAX)
    : null;
}
