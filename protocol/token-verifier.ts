/** Checker of the tokens that other sites show. */
import { createLocalJWKSet, jwtVerify, type JWK } from "jose";
import { z } from "zod";
import { KattegatError } from "./errors.ts";
import { RecentMap } from "./recent-map.ts";
import {
  OPERATOR,
  REPLICATION,
  SITE_TOKEN_ALGORITHM,
  SITE_TOKEN_LIFETIME_SECONDS,
  siteTokenClaimsSchema,
  type SiteTokenClaims,
} from "./site-token.ts";

/** Each sender shows a few in a minute; isolates of a Worker are several senders. */
const ACCEPTED_TOKENS_MAX = 256;

/** Public keys; one with an `issuer` speaks for that sender alone. */
export interface SiteKeySet {
  readonly keys: (JWK & { readonly issuer?: string })[];
}

export interface TokenVerifier {
  /**
   * Resolves with the claims of a token made for this site within the last minute.
   *
   * @throws {KattegatError} `unauthenticated` without a valid token, `stale_epoch` from an earlier reign.
   */
  verify(authorization: string | null | undefined): Promise<SiteTokenClaims>;
}

export function createTokenVerifier(options: {
  readonly jwks: SiteKeySet;
  readonly site: string;
  readonly now: () => number;
  readonly epoch: () => number;
}): TokenVerifier {
  const keys = createLocalJWKSet(options.jwks);
  const accepted = new RecentMap<string, SiteTokenClaims>(ACCEPTED_TOKENS_MAX);

  async function checked(token: string): Promise<SiteTokenClaims> {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: [SITE_TOKEN_ALGORITHM],
      audience: options.site,
      currentDate: new Date(options.now()),
      maxTokenAge: SITE_TOKEN_LIFETIME_SECONDS,
    });
    const claims = siteTokenClaimsSchema.parse(payload);
    const key = options.jwks.keys.find(({ kid }) => kid === protectedHeader.kid);
    if (!mayIssue(key?.issuer, claims.iss)) throw new Error(`its key may not speak for ${claims.iss}`);
    return claims;
  }

  /** A sender shows the same token for a while, and checking a signature costs more than most answers. */
  function known(token: string): SiteTokenClaims | null {
    const claims = accepted.get(token);
    if (claims === undefined) return null;
    const seconds = Math.floor(options.now() / 1_000);
    if (seconds >= claims.iat && seconds < Math.min(claims.exp, claims.iat + SITE_TOKEN_LIFETIME_SECONDS))
      return claims;
    accepted.delete(token);
    return null;
  }

  function remembered(token: string, claims: SiteTokenClaims): SiteTokenClaims {
    accepted.set(token, claims);
    return claims;
  }

  function refuse(cause: unknown): never {
    if (cause instanceof z.ZodError) throw refused("its claims are not complete");
    throw refused(cause instanceof Error ? cause.message : "it does not verify");
  }

  return {
    async verify(authorization) {
      const token = /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
      if (token === undefined) throw refused("none came");
      const claims = known(token) ?? remembered(token, await checked(token).catch(refuse));
      const epoch = options.epoch();
      if (claims.epoch < epoch) {
        throw new KattegatError(
          "stale_epoch",
          `Expected a token of epoch ${epoch}; ${claims.iss} sent one of epoch ${claims.epoch}.`,
        );
      }
      return claims;
    },
  };

  function refused(reason: string): KattegatError {
    return new KattegatError("unauthenticated", `Expected a site token for ${options.site}: ${reason}.`);
  }
}

/** A key that names whom it speaks for speaks for nobody else; for the operator and replication only such a key speaks. */
function mayIssue(issuer: string | undefined, claimed: string): boolean {
  return issuer === undefined ? claimed !== OPERATOR && claimed !== REPLICATION : issuer === claimed;
}
