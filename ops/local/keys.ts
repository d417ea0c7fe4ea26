/** The keys of the local network. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { KEY_SCOPES, type CallerKey } from "@kattegat/protocol/site-token.ts";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { z } from "zod";
import { addCallerKey, OWNER_ONLY, readCallerKeys } from "./caller-keys.ts";
import { replaceFile, type DataFolder } from "./folder.ts";

/** Who sends requests to other sites, each with a key of its own. */
export const SENDERS = ["edge", "replication", "ops"] as const;
type Sender = (typeof SENDERS)[number];

/** Makes whatever key is missing; a second start finds all of them. */
export async function ensureKeys(folder: DataFolder): Promise<{ readonly callers: readonly CallerKey[] }> {
  const missing = SENDERS.filter((sender) => !existsSync(folder.signingKey(sender)));
  for (const sender of missing) await makeSigningKey(folder, sender);
  const keys = SENDERS.map((sender) => ({
    ...publicPart(readFileSync(folder.signingKey(sender), "utf8")),
    // The edges share a key, and each speaks for its own site.
    ...(sender === "edge" ? {} : { issuer: sender }),
  }));
  replaceFile(folder.jwks, JSON.stringify({ keys }, null, 2), OWNER_ONLY);
  if (!existsSync(folder.postgresPassword))
    replaceFile(folder.postgresPassword, randomBytes(24).toString("base64url"), OWNER_ONLY);
  if (!existsSync(folder.rootKey))
    replaceFile(folder.rootKey, randomBytes(32).toString("base64url"), OWNER_ONLY);
  if (!existsSync(folder.archiveKey)) makeArchiveKey(folder);
  if (!existsSync(folder.ledgerKey)) makeLedgerKey(folder);
  if (!existsSync(folder.adminKey)) makeAdminKey(folder);
  return { callers: readCallerKeys(folder.callerKeys) ?? [] };
}

async function makeSigningKey(folder: DataFolder, sender: Sender): Promise<void> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk: JWK = {
    ...(await exportJWK(privateKey)),
    kid: `${sender}-${randomBytes(4).toString("hex")}`,
    alg: "EdDSA",
    use: "sig",
  };
  replaceFile(folder.signingKey(sender), JSON.stringify(jwk), OWNER_ONLY);
}

const archiveKeySchema = z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string() });

/** Of the embedded S3 servers. */
export function readArchiveKey(folder: DataFolder): z.infer<typeof archiveKeySchema> {
  return archiveKeySchema.parse(JSON.parse(readFileSync(folder.archiveKey, "utf8")));
}

function makeArchiveKey(folder: DataFolder): void {
  const key: z.infer<typeof archiveKeySchema> = {
    accessKeyId: `local-${randomBytes(6).toString("hex")}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
  };
  replaceFile(folder.archiveKey, JSON.stringify(key), OWNER_ONLY);
}

function makeLedgerKey(folder: DataFolder): void {
  const { privateKey } = generateKeyPairSync("ed25519");
  replaceFile(folder.ledgerKey, privateKey.export({ type: "pkcs8", format: "pem" }).toString(), OWNER_ONLY);
}

const signingKeySchema = z.object({
  kty: z.string(),
  crv: z.string(),
  x: z.string(),
  kid: z.string(),
  alg: z.string(),
  use: z.string(),
});

/** The schema names the public fields only, so the private one falls away. */
function publicPart(text: string): JWK {
  return signingKeySchema.parse(JSON.parse(text));
}

/** The plain key is written once for its owner; the network knows the hash alone. */
function makeAdminKey(folder: DataFolder): void {
  // Without its file the old one is lost, and other callers keep theirs.
  const id = freeName(readCallerKeys(folder.callerKeys) ?? []);
  const { key } = addCallerKey(folder.callerKeys, { id, scopes: KEY_SCOPES, at: new Date() });
  replaceFile(folder.adminKey, `${key}\n`, OWNER_ONLY);
}

function freeName(callers: readonly CallerKey[]): string {
  const names = new Set(callers.map(({ id }) => id));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "admin" : `admin-${number}`;
    if (!names.has(name)) return name;
  }
}
