/** Checker of the tokens that other sites show. */
import { createLocalJWKSet, jwtVerify, type JWK } from "jose";
import { z } from "zod";
import { KattegatError } from "./errors.ts";
import {
  OPERATOR,
  REPLICATION,
  SITE_TOKEN_ALGORITHM,
  SITE_TOKEN_LIFETIME_SECONDS,
  siteTokenClaimsSchema,
  type SiteTokenClaims,
} from "./site-token.ts";

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
  return {
    async verify(authorization) {
      const token = /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
      if (token === undefined) throw refused("none came");
      const claims = await jwtVerify(token, keys, {
        algorithms: [SITE_TOKEN_ALGORITHM],
        audience: options.site,
        currentDate: new Date(options.now()),
        maxTokenAge: SITE_TOKEN_LIFETIME_SECONDS,
      })
        .then(({ payload, protectedHeader: { kid } }) => {
          const known = siteTokenClaimsSchema.parse(payload);
          const key = options.jwks.keys.find((candidate) => candidate.kid === kid);
          if (!mayIssue(key?.issuer, known.iss)) throw new Error(`its key may not speak for ${known.iss}`);
          return known;
        })
        .catch((cause: unknown) => {
          throw refused(
            cause instanceof z.ZodError
              ? "its claims are not complete"
              : cause instanceof Error
                ? cause.message
                : "it does not verify",
          );
        });
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
