import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { createTokenSigner } from "./token-signer.ts";
import { createTokenVerifier } from "./token-verifier.ts";

const clock = { ms: 1_800_000_000_000, now: () => clock.ms };
let keys: { privateJwk: JWK; publicJwk: JWK; stranger: JWK };

beforeAll(async () => {
  const pair = await generateKeyPair("EdDSA", { extractable: true });
  const other = await generateKeyPair("EdDSA", { extractable: true });
  keys = {
    privateJwk: { ...(await exportJWK(pair.privateKey)), kid: "replication" },
    publicJwk: { ...(await exportJWK(pair.publicKey)), kid: "replication" },
    stranger: { ...(await exportJWK(other.privateKey)), kid: "replication" },
  };
});

const signerOf = (privateJwk: JWK, epoch = 1) =>
  createTokenSigner({ privateJwk, issuer: "replication", now: clock.now, epoch: () => epoch });
const verifierOf = (options: { readonly site?: string; readonly epoch?: number } = {}) =>
  createTokenVerifier({
    jwks: { keys: [{ ...keys.publicJwk, issuer: "replication" }] },
    site: options.site ?? "eu-fra",
    now: clock.now,
    epoch: () => options.epoch ?? 1,
  });

describe("a site token", () => {
  it("is accepted by its audience, from its sender, in its reign or an earlier one of the receiver", async () => {
    const token = await signerOf(keys.privateJwk, 2).authorization("eu-fra");
    expect(await verifierOf({ epoch: 2 }).verify(token)).toMatchObject({
      iss: "replication",
      aud: "eu-fra",
      epoch: 2,
    });
    expect(await verifierOf({ epoch: 1 }).verify(token)).toMatchObject({ epoch: 2 });
  });

  it("is refused from an earlier reign (I2)", async () => {
    const token = await signerOf(keys.privateJwk, 1).authorization("eu-fra");
    await expect(verifierOf({ epoch: 2 }).verify(token)).rejects.toMatchObject({ code: "stale_epoch" });
  });

  it.each(["ops", "replication"])(
    "speaks for %s with the key of that name alone, which speaks for nobody else",
    async (name) => {
      const signer = (issuer: string) =>
        createTokenSigner({ privateJwk: keys.privateJwk, issuer, now: clock.now, epoch: () => 1 });
      const verifier = (issuer?: string) =>
        createTokenVerifier({
          jwks: { keys: [issuer === undefined ? keys.publicJwk : { ...keys.publicJwk, issuer }] },
          site: "eu-fra",
          now: clock.now,
          epoch: () => 1,
        });
      const [ofName, ofEdge] = await Promise.all(
        [name, "edge-eu"].map((issuer) => signer(issuer).authorization("eu-fra")),
      );
      await expect(verifier(name).verify(ofName)).resolves.toMatchObject({ iss: name });
      await expect(verifier().verify(ofEdge)).resolves.toMatchObject({ iss: "edge-eu" });
      // One after the other: a refusal that nobody waits for yet would end the run.
      await expect(verifier().verify(ofName)).rejects.toMatchObject({ code: "unauthenticated" });
      await expect(verifier(name).verify(ofEdge)).rejects.toMatchObject({ code: "unauthenticated" });
    },
  );

  it("is refused by another site", async () => {
    const token = await signerOf(keys.privateJwk).authorization("eu-arn");
    await expect(verifierOf().verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("is refused with another key under the same key id", async () => {
    const token = await signerOf(keys.stranger).authorization("eu-fra");
    await expect(verifierOf().verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("is refused when it is older than a minute, accepted within it", async () => {
    const token = await signerOf(keys.privateJwk).authorization("eu-fra");
    const made = clock.ms;
    clock.ms = made + 59_000;
    await expect(verifierOf().verify(token)).resolves.toMatchObject({ epoch: 1 });
    clock.ms = made + 61_000;
    await expect(verifierOf().verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
    clock.ms = made;
  });

  it("is refused by one that has accepted it once its time or its reign is over (I2)", async () => {
    const site = { epoch: 1 };
    const verifier = createTokenVerifier({
      jwks: { keys: [{ ...keys.publicJwk, issuer: "replication" }] },
      site: "eu-fra",
      now: clock.now,
      epoch: () => site.epoch,
    });
    const token = await signerOf(keys.privateJwk, 1).authorization("eu-fra");
    const begunMs = clock.ms;
    await verifier.verify(token);
    clock.ms = begunMs + 59_000;
    await expect(verifier.verify(token)).resolves.toMatchObject({ epoch: 1 });
    site.epoch = 2;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "stale_epoch" });
    site.epoch = 1;
    clock.ms = begunMs + 61_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
    clock.ms = begunMs - 5_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "unauthenticated" });
    clock.ms = begunMs;
  });

  it("is checked anew where another is signed like it", async () => {
    const verifier = verifierOf();
    const token = await signerOf(keys.privateJwk).authorization("eu-fra");
    await verifier.verify(token);
    const [head, claims, signature = ""] = token.split(".");
    const other = `${head}.${claims}x.${signature}`;
    await expect(verifier.verify(other)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("is refused when its sender gave it a longer life than the contract's minute", async () => {
    const { importJWK } = await import("jose");
    const seconds = Math.floor(clock.ms / 1_000);
    const token = await new SignJWT({ epoch: 1 })
      .setProtectedHeader({ alg: "EdDSA", kid: "replication" })
      .setIssuer("replication")
      .setAudience("eu-fra")
      .setIssuedAt(seconds - 120)
      .setExpirationTime(seconds + 86_400)
      .sign(await importJWK(keys.privateJwk, "EdDSA"));
    await expect(verifierOf().verify(`Bearer ${token}`)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("is refused without a signature, without an epoch, without a token", async () => {
    const { importJWK } = await import("jose");
    const unsigned = new UnsecuredJWT({ epoch: 1 })
      .setIssuer("replication")
      .setAudience("eu-fra")
      .setIssuedAt()
      .setExpirationTime("1m")
      .encode();
    const bare = await new SignJWT({})
      .setProtectedHeader({ alg: "EdDSA", kid: "replication" })
      .setIssuer("replication")
      .setAudience("eu-fra")
      .setIssuedAt(Math.floor(clock.ms / 1_000))
      .setExpirationTime(Math.floor(clock.ms / 1_000) + 60)
      .sign(await importJWK(keys.privateJwk, "EdDSA"));
    for (const header of [
      `Bearer ${unsigned}`,
      `Bearer ${bare}`,
      "Bearer x",
      "Basic abc",
      "",
      null,
      undefined,
    ]) {
      await expect(verifierOf().verify(header), String(header)).rejects.toMatchObject({
        code: "unauthenticated",
      });
    }
  });

  it("is made anew for each site, for each reign, before it grows old", async () => {
    const reign = { epoch: 1 };
    const signer = createTokenSigner({
      privateJwk: keys.privateJwk,
      issuer: "replication",
      now: clock.now,
      epoch: () => reign.epoch,
    });
    const first = await signer.authorization("eu-fra");
    expect(await signer.authorization("eu-fra")).toBe(first);
    expect(await signer.authorization("eu-arn")).not.toBe(first);
    reign.epoch = 2;
    expect(await signer.authorization("eu-fra")).not.toBe(first);
    const second = await signer.authorization("eu-fra");
    clock.ms += 31_000;
    expect(await signer.authorization("eu-fra")).not.toBe(second);
  });
});
