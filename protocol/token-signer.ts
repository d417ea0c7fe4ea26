/** Maker of the tokens that a sender shows to other sites. */
import { SignJWT, importJWK, type JWK } from "jose";
import { SITE_TOKEN_ALGORITHM, SITE_TOKEN_LIFETIME_SECONDS, SITE_TOKEN_REUSE_SECONDS } from "./site-token.ts";

export interface TokenSigner {
  /** The value of an `authorization` header for requests to `site`. */
  authorization(site: string): Promise<string>;
}

/** `now` in milliseconds; `epoch` is the reign that the sender knows at that moment. */
export function createTokenSigner(options: {
  readonly privateJwk: JWK;
  readonly issuer: string;
  readonly now: () => number;
  readonly epoch: () => number;
}): TokenSigner {
  const key = importJWK(options.privateJwk, SITE_TOKEN_ALGORITHM);
  const made = new Map<string, { readonly value: string; readonly until: number; readonly epoch: number }>();
  return {
    async authorization(site) {
      const seconds = Math.floor(options.now() / 1_000);
      const epoch = options.epoch();
      const known = made.get(site);
      if (known !== undefined && known.until > seconds && known.epoch === epoch) return known.value;
      const token = await new SignJWT({ epoch })
        .setProtectedHeader({
          alg: SITE_TOKEN_ALGORITHM,
          ...(options.privateJwk.kid === undefined ? {} : { kid: options.privateJwk.kid }),
        })
        .setIssuer(options.issuer)
        .setAudience(site)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + SITE_TOKEN_LIFETIME_SECONDS)
        .sign(await key);
      const value = `Bearer ${token}`;
      made.set(site, { value, until: seconds + SITE_TOKEN_REUSE_SECONDS, epoch });
      return value;
    },
  };
}
