/** Keys of the sites and services around an edge. */
import { OPERATOR, REPLICATION } from "@kattegat/protocol/site-token.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from "jose";

export interface SiteKeys {
  /** Of the edges. */
  readonly privateJwk: JWK;
  readonly jwks: JSONWebKeySet;
  authorization(site: string, issuer?: string): Promise<string>;
}

/** One pair stands for all senders; those who have a key of their own are known by it. */
const BOUND: readonly string[] = [OPERATOR, REPLICATION];

export async function siteKeys(): Promise<SiteKeys> {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const privateJwk: JWK = { ...(await exportJWK(privateKey)), kid: "test", alg: "EdDSA" };
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), alg: "EdDSA" };
  const bound = BOUND.map((issuer) => ({ ...publicJwk, kid: issuer, issuer }));
  return {
    privateJwk,
    jwks: { keys: [{ ...publicJwk, kid: "test" }, ...bound] },
    authorization(site, issuer = REPLICATION) {
      const kid = BOUND.includes(issuer) ? issuer : "test";
      const options = { issuer, now: Date.now, epoch: () => 1 };
      return createTokenSigner({ ...options, privateJwk: { ...privateJwk, kid } }).authorization(site);
    },
  };
}
