/** Both zones of the edge in one workerd, with real sockets on all sides. */
import { join } from "node:path";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { emptyManifest } from "@kattegat/engine/cold/manifest.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { testBase } from "@kattegat/engine/cold/base/base.fixture.ts";
import { encodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { encodeSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { createScanner, type Scanner } from "@kattegat/engine/vector/scan.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { build, stop } from "esbuild";
import { Miniflare } from "miniflare";
import { statisticsOf, type Law } from "./corpus.fixture.ts";
import { manifestKey } from "../cold/manifest-key.ts";
import { siteKeys } from "./site-keys.fixture.ts";
import { serveSite, type SiteServer } from "./site-server.fixture.ts";

export const KEYS = { search: "search-key", write: "write-key", admin: "admin-key" } as const;
const ROOT = join(import.meta.dirname, "..", "..");
export const HOSTS = { eu: "eu.test", global: "global.test" } as const;
export type Zone = keyof typeof HOSTS;

export interface EdgeHost {
  readonly network: Network;
  readonly sites: Readonly<Record<"dk-cph" | "eu-fra" | "eu-arn", SiteServer>>;
  fetch(
    zone: Zone,
    path: string,
    init?: {
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
    },
  ): Promise<Response>;
  /** A search with the key that may, in Denmark unless the headers say otherwise. */
  search(
    body: unknown,
    options?: { readonly zone?: Zone; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response>;
  /** Where the runtime listens; the host of a request chooses the zone. */
  readonly url: URL;
  /** Headers of a request from another site or service to the edge. */
  siteHeaders(zone: Zone, issuer?: string): Promise<Record<string, string>>;
  /** Publishes copies of the model that serves, or of the one that the change names. */
  publish(zone: Zone, laws: readonly Law[], change?: Partial<ColdManifest>): Promise<ColdManifest>;
  /** Publishes a base, with a tail behind it, without those of its documents that are dead. */
  publishBase(
    zone: Zone,
    laws: readonly Law[],
    options?: { readonly tail?: readonly Law[]; readonly dead?: readonly string[] },
  ): Promise<ColdManifest>;
  putObject(zone: Zone, key: string, bytes: Uint8Array | string): Promise<void>;
  /** Of the model that serves. */
  putManifest(zone: Zone, bytes: Uint8Array | string): Promise<void>;
  /** Starts over: no cold index, no failures remembered, calm sites. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

function passageOf(law: Law): ColdPassage {
  return {
    documentId: law.id,
    ordinal: 1,
    version: law.version,
    epoch: 1,
    residency: law.residency,
    collection: "default",
    dense: toCanonical(law.dense),
    sparse: law.sparse,
    title: `Lov ${law.id}`,
    text: law.text,
    lang: "da",
    metadata: law.metadata,
    publishedAt: null,
  };
}

function checksumOf(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(8, "0");
}

function statisticsEntry(bytes: Uint8Array): NonNullable<ColdManifest["statistics"]> {
  return { version: "1", key: "statistics/1.bin", checksum: checksumOf(bytes) };
}

/** This file runs in Node, but is checked under the types of workerd, which compiles nothing. */
function nodeScanner(): Scanner {
  const kernel = readFileSync(`${ROOT}/engine/wasm/scan.wasm`);
  return createScanner(Reflect.construct(WebAssembly.Module, [kernel]));
}

async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "silent",
    plugins: [
      {
        name: "wasm",
        setup: (build) =>
          void build.onResolve({ filter: /scan\.wasm$/ }, () => ({ path: "./scan.wasm", external: true })),
      },
    ],
  });
  await stop();
  return result.outputFiles[0]?.text ?? "";
}

export async function startEdge(
  change: (network: Network) => Network = (network) => network,
  { entry = `${ROOT}/edge/worker.ts` }: { readonly entry?: string } = {},
): Promise<EdgeHost> {
  const network = change(parseNetwork(readFileSync(`${ROOT}/config/network.yaml`, "utf8")));
  const keys = await siteKeys();
  const { privateJwk, jwks } = keys;
  const [primary, frankfurt, stockholm] = await Promise.all(
    ["dk-cph", "eu-fra", "eu-arn"].map((site) => serveSite({ site, jwks })),
  );
  if (primary === undefined || frankfurt === undefined || stockholm === undefined)
    throw new Error("three sites");
  const sites = { "dk-cph": primary, "eu-fra": frankfurt, "eu-arn": stockholm };
  for (const site of Object.values(sites)) site.models = [network.embedding.model];
  const script = await bundle(entry);
  const callers = Object.entries(KEYS).map(([scope, key]) => ({
    id: scope,
    sha256: createHash("sha256").update(key).digest("hex"),
    scopes: [scope],
    created_at: "2026-01-01T00:00:00Z",
  }));
  const bindings = (zone: Zone): Record<string, string> => ({
    SITE: `edge-${zone}`,
    ZONE: zone,
    NETWORK: JSON.stringify(network),
    SITES: JSON.stringify(Object.fromEntries(Object.entries(sites).map(([id, { url }]) => [id, url]))),
    ALTERNATES: JSON.stringify({ eu: "http://eu.test", global: "http://global.test" }),
    CALLER_KEYS: JSON.stringify(callers),
    SIGNING_KEY: JSON.stringify(privateJwk),
    JWKS: JSON.stringify(jwks),
    LOCAL: "true",
  });
  const options = (salt: number): ConstructorParameters<typeof Miniflare>[0] => ({
    cf: false,
    telemetry: { enabled: false },
    handleRuntimeStdio: () => undefined,
    workers: (["eu", "global"] as const).map((zone) => ({
      name: `edge-${zone}`,
      modulesRoot: "/",
      modules: [
        { type: "ESModule", path: "/worker.js", contents: `${script}\n// ${salt}` },
        {
          type: "CompiledWasm",
          path: "/scan.wasm",
          contents: new Uint8Array(readFileSync(`${ROOT}/engine/wasm/scan.wasm`)),
        },
      ],
      compatibilityDate: "2026-07-30",
      compatibilityFlags: ["nodejs_compat"],
      bindings: bindings(zone),
      r2Buckets: { COLD: `cold-${zone}`, ...(zone === "eu" ? { COLD_GLOBAL: "cold-global" } : {}) },
      routes: [`${HOSTS[zone]}/*`],
    })),
  });
  const runtime = new Miniflare(options(0));
  const url = await runtime.ready;
  let resets = 0;
  const bucketOf = (zone: Zone) => runtime.getR2Bucket("COLD", `edge-${zone}`);

  const host: EdgeHost = {
    network,
    sites,
    url,
    async fetch(zone, path, init = {}) {
      const answer = await runtime.dispatchFetch(`http://${HOSTS[zone]}${path}`, {
        method: init.method ?? "GET",
        headers: { ...init.headers },
        ...(init.body === undefined ? {} : { body: init.body }),
      });
      return new Response(answer.body === null ? null : await answer.arrayBuffer(), {
        status: answer.status,
        headers: [...answer.headers],
      });
    },
    search: (body, { zone = "eu", headers = {} } = {}) =>
      host.fetch(zone, "/v1/search", {
        method: "POST",
        headers: { authorization: `Bearer ${KEYS.search}`, "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    async siteHeaders(zone, issuer) {
      return { authorization: await keys.authorization(`edge-${zone}`, issuer) };
    },
    async putObject(zone, key, bytes) {
      await (await bucketOf(zone)).put(key, bytes);
    },
    async putManifest(zone, bytes) {
      await (await bucketOf(zone)).put(manifestKey(network.embedding), bytes);
    },
    async publish(zone, laws, change = {}) {
      const model = { ...network.embedding, ...change };
      const bytes = encodeSegment(laws.map(passageOf), model);
      // New each time: results of an earlier test are still in the cache under the old name.
      const name = randomUUID();
      const bucket = await bucketOf(zone);
      await bucket.put(`segments/${name}.seg`, bytes);
      const statistics = statisticsOf(laws, "1");
      await bucket.put("statistics/1.bin", statistics);
      const manifest: ColdManifest = {
        ...emptyManifest(network.embedding),
        generation: 1,
        watermark: { epoch: 1, sequence: "10" },
        watermark_at: new Date().toISOString(),
        statistics: statisticsEntry(statistics),
        segments: [
          {
            key: `segments/${name}.seg`,
            bytes: bytes.byteLength,
            passages: laws.length,
            documents: laws.length,
            checksum: checksumOf(bytes),
            tombstones: [],
          },
        ],
        ...change,
      };
      await bucket.put(manifestKey(manifest), JSON.stringify(manifest));
      return manifest;
    },
    async publishBase(zone, laws, { tail = [], dead = [] } = {}) {
      const key = `bases/${randomUUID()}`;
      const { base, documents, objects } = await testBase(laws.map(passageOf), {
        key,
        model: network.embedding.model,
        scanner: nodeScanner(),
      });
      const bucket = await bucketOf(zone);
      for (const [object, bytes] of objects) await bucket.put(object, bytes);
      const numbers = documents.flatMap(({ documentId }, number) =>
        dead.includes(documentId) ? [number] : [],
      );
      const statistics = statisticsOf([...laws, ...tail], "1");
      const change = {
        base: { ...base, tombstones: encodeNumbers(numbers), dead: numbers.length },
        statistics: statisticsEntry(statistics),
      };
      const manifest = await host.publish(
        zone,
        tail,
        tail.length === 0 ? { ...change, segments: [] } : change,
      );
      await bucket.put("statistics/1.bin", statistics);
      return manifest;
    },
    async reset() {
      for (const site of Object.values(sites)) {
        Object.assign(site, {
          laws: [],
          models: [network.embedding.model],
          lawsOf: () => null,
          mood: "answers",
          state: { status: "ok", watermark: "10" },
          tamper: (answer: unknown) => answer,
          other: () => ({ status: 404, body: { code: "not_found" } }),
        });
        site.received.length = 0;
      }
      for (const zone of ["eu", "global"] as const) {
        const bucket = await bucketOf(zone);
        for (const { key } of (await bucket.list()).objects) await bucket.delete(key);
      }
      resets += 1;
      await runtime.setOptions(options(resets));
    },
    async close() {
      await runtime.dispose();
      await Promise.all(Object.values(sites).map((site) => site.close()));
    },
  };
  return host;
}
