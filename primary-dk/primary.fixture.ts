/** A primary on a real Postgres for tests, spoken to as another site does. */
import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import { feedLineSchema, type FeedChange, type FeedHead } from "@kattegat/protocol/changes.ts";
import { queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { queryVector } from "@kattegat/engine/lexical/bm25.ts";
import { emptyStatistics } from "@kattegat/engine/lexical/statistics.ts";
import {
  siteSearchResponseSchema,
  type SiteSearchRequest,
  type SiteSearchResponse,
} from "@kattegat/protocol/site-search.ts";
import { OPERATOR, REPLICATION } from "@kattegat/protocol/site-token.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { createTokenVerifier, type SiteKeySet } from "@kattegat/protocol/token-verifier.ts";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { ColdOptions } from "./cold/open-store.ts";
import { createApp } from "./http/app.ts";
import { createMetrics } from "./http/metrics.ts";
import { NoteSigner } from "./ledger/signed-note.ts";
import { openPrimary, type Primary } from "./primary.ts";
import { embedderOf, nextEmbedderOf } from "./search/embedder.ts";
import type { KeyringPlace } from "./sealing/keyring.ts";
import { readScanner } from "./scanner.ts";

export const SITE = "dk-cph";
export const networkFile = new URL("../config/network.yaml", import.meta.url);
export const network: Network = parseNetwork(readFileSync(networkFile, "utf8"));

export function withCapacities(capacities: Partial<Record<keyof Network["tiers"], number>>): Network {
  const tier = (name: keyof Network["tiers"]) => ({
    ...network.tiers[name],
    capacity: capacities[name] ?? network.tiers[name].capacity,
  });
  return {
    ...network,
    tiers: { "ultra-hot": tier("ultra-hot"), hot: tier("hot"), warm: tier("warm"), cold: tier("cold") },
  };
}

const keyrings = new Map<string, KeyringPlace>();
let keysFolder: string | null = null;

/** Every primary of a test that opens the same database has the same keys. */
export function testKeyring(databaseUrl: string): KeyringPlace {
  const known = keyrings.get(databaseUrl);
  if (known !== undefined) return known;
  if (keysFolder === null) {
    const made = mkdtempSync(join(tmpdir(), "kattegat-keys-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    keysFolder = made;
  }
  const folder = join(keysFolder, String(keyrings.size));
  mkdirSync(folder);
  const rootKeyFile = join(folder, "root.key");
  writeFileSync(rootKeyFile, randomBytes(32).toString("base64url"));
  const place = { folder, rootKeyFile };
  keyrings.set(databaseUrl, place);
  return place;
}

const testSigner = new NoteSigner(
  `${SITE}/ledger`,
  generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
);

export interface TestKeys {
  readonly privateJwk: JWK;
  readonly operatorJwk: JWK;
  readonly replicationJwk: JWK;
  readonly jwks: SiteKeySet;
}

export async function testKeys(): Promise<TestKeys> {
  const pair = () => generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const [site, operator, replication] = await Promise.all([pair(), pair(), pair()]);
  return {
    privateJwk: { ...(await exportJWK(site.privateKey)), kid: "test" },
    operatorJwk: { ...(await exportJWK(operator.privateKey)), kid: "operator" },
    replicationJwk: { ...(await exportJWK(replication.privateKey)), kid: "replication" },
    jwks: {
      keys: [
        { ...(await exportJWK(site.publicKey)), kid: "test" },
        { ...(await exportJWK(operator.publicKey)), kid: "operator", issuer: OPERATOR },
        { ...(await exportJWK(replication.publicKey)), kid: "replication", issuer: REPLICATION },
      ],
    },
  };
}

/** A request whose body is sent while its answer is read. */
export function streamed(body: ReadableStream<Uint8Array>, signal?: AbortSignal): RequestInit {
  const init: RequestInit & { readonly duplex: "half" } = {
    method: "POST",
    body,
    duplex: "half",
    ...(signal === undefined ? {} : { signal }),
  };
  return init;
}

export type Send = (path: string, init?: RequestInit) => Promise<Response>;

export interface TestPrimary {
  readonly primary: Primary;
  readonly client: Client;
  readonly errors: unknown[];
  close(): Promise<void>;
}

export async function startPrimary(
  databaseUrl: string,
  options: {
    readonly network?: Network;
    readonly now?: () => number;
    /** Left out, one that belongs to the database. */
    readonly keyring?: KeyringPlace;
    /** The folder of trained embeddings. */
    readonly embeddings?: string;
    readonly cold?: ColdOptions;
  } = {},
): Promise<TestPrimary> {
  const errors: unknown[] = [];
  const used = options.network ?? network;
  const now = options.now ?? (() => Date.now());
  const embeddings = options.embeddings ?? "";
  const primary = await openPrimary({
    network: used,
    site: SITE,
    databaseUrl,
    keyring: options.keyring ?? testKeyring(databaseUrl),
    replacedMs: 7 * 86_400_000,
    repairsPerMinute: 600,
    ledgerSigner: testSigner,
    scanner: readScanner(),
    embedder: await embedderOf(used, { apiKey: null, embeddings }),
    nextEmbedder: await nextEmbedderOf(used, { apiKey: null, embeddings }),
    embeddings,
    now,
    newId: randomUUID,
    pause: () => setImmediate(),
    log: { info: () => {}, error: (fields) => errors.push(fields) },
    ...(options.cold === undefined ? {} : { cold: options.cold }),
  });
  const keys = await testKeys();
  const app = createApp({
    primary: () => primary,
    verifier: createTokenVerifier({ jwks: keys.jwks, site: SITE, now: Date.now, epoch: () => 1 }),
    metrics: createMetrics(),
    siteUrls: {},
    newId: randomUUID,
    report: (error) => errors.push(error),
  });
  return {
    primary,
    client: createClient(keys, async (path, init) => await app.request(path, init)),
    errors,
    close: () => primary.close(),
  };
}

export interface Client {
  readonly send: Send;
  /** Sends what the operator's commands send. */
  readonly operate: Send;
  put(id: string, body: object, headers?: Record<string, string>): Promise<Response>;
  batch(lines: readonly unknown[]): Promise<Record<string, unknown>[]>;
  feed(
    target: string,
    after: string,
    options?: { readonly limit?: number; readonly waitMs?: number; readonly model?: string },
  ): Promise<{ readonly changes: FeedChange[]; readonly head: FeedHead }>;
  search(query: string, request?: Partial<SiteSearchRequest>): Promise<SiteSearchResponse>;
}

const OF_REPLICATION = /^\/internal\/(changes|confirm)/;

/** Sends what the edge and replication send; every request has a token and comes through the EU zone unless told otherwise. */
export function createClient(keys: TestKeys, fetchPath: Send): Client {
  const signer = createTokenSigner({
    privateJwk: keys.privateJwk,
    issuer: "edge-eu",
    now: Date.now,
    epoch: () => 1,
  });
  const { dimensions } = network.embedding;
  const embedder = createHashedEmbedder({ dimensions });
  const operator = createTokenSigner({
    privateJwk: keys.operatorJwk,
    issuer: OPERATOR,
    now: Date.now,
    epoch: () => 1,
  });
  const replication = createTokenSigner({
    privateJwk: keys.replicationJwk,
    issuer: REPLICATION,
    now: Date.now,
    epoch: () => 1,
  });
  const operate: Send = async (path, init = {}) =>
    await fetchPath(path, { ...init, headers: { authorization: await operator.authorization(SITE) } });
  const send: Send = async (path, init = {}) => {
    const headers = new Headers({
      authorization: await (OF_REPLICATION.test(path) ? replication : signer).authorization(SITE),
      "x-kattegat-zone": "eu",
      "x-kattegat-classes": "dk-only,eu,global",
    });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    return await fetchPath(path, { ...init, headers });
  };
  return {
    send,
    operate,
    put: (id, body, headers = {}) =>
      send(`/internal/documents/${id}`, { method: "PUT", body: JSON.stringify(body), headers }),
    async batch(lines) {
      const body = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
      const response = await send("/internal/documents:batch", { method: "POST", body });
      return (await response.text())
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    },
    async feed(target, after, { limit = 512, waitMs = 0, model } = {}) {
      const query = `target=${target}&after=${after}&limit=${limit}&wait_ms=${waitMs}`;
      const response = await send(
        `/internal/changes?${query}${model === undefined ? "" : `&model=${model}`}`,
      );
      if (response.status !== 200) throw new Error(`feed: ${response.status} ${await response.text()}`);
      const lines = (await response.text())
        .trimEnd()
        .split("\n")
        .map((line) => feedLineSchema.parse(JSON.parse(line)));
      const head = lines.at(-1);
      if (head?.kind !== "head") throw new Error("expected a head at the end of the feed");
      return { changes: lines.flatMap((line) => (line.kind === "head" ? [] : [line])), head };
    },
    async search(query, request = {}) {
      const [dense] = await embedder.embed([query], "query");
      const lexical = queryVector(queryTerms(query), emptyStatistics());
      const whole: SiteSearchRequest = {
        dense: dense === undefined ? null : encodeFloats(dense),
        lexical: { indices: encodeIntegers(lexical.indices), values: encodeFloats(lexical.values) },
        model: network.embedding.model,
        filter: null,
        collection: "default",
        classes: ["dk-only", "eu", "global"],
        zone: "eu",
        tiers: ["ultra-hot", "hot", "warm", "cold"],
        group_by: "document",
        candidates: 100,
        hydrated: 10,
        min_sequence: null,
        deadline_ms: 1_000,
        ...request,
      };
      const response = await send("/internal/search", { method: "POST", body: JSON.stringify(whole) });
      if (response.status !== 200) throw new Error(`search: ${response.status} ${await response.text()}`);
      return siteSearchResponseSchema.parse(await response.json());
    },
  };
}
