/** A regional site as a process, with a sender that it trusts. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import type { ApplyRequest, Change } from "@kattegat/protocol/changes.ts";
import type { SiteSearchRequest } from "@kattegat/protocol/site-search.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { exportJWK, generateKeyPair } from "jose";
import { startProcess } from "./process.fixture.ts";
import type { Running } from "./process.fixture.ts";

export const NETWORK_FILE = new URL("../config/network.yaml", import.meta.url).pathname;
export const DIMENSIONS = 384;
export const MODEL = "hashed-384-v1";

/** What `JSON.parse` gives; tests look into it freely. */
type Parsed = ReturnType<JSON["parse"]>;

export interface SiteAnswer {
  readonly status: number;
  readonly body: Parsed;
}

export interface SiteProcess extends Running {
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<SiteAnswer>;
  get(path: string): Promise<SiteAnswer>;
}

/** Starts `eu-fra` in front of the Qdrant nodes given. */
export async function startSite(
  folder: string,
  qdrantUrls: readonly string[],
  epoch = 1,
  networkFile = NETWORK_FILE,
): Promise<SiteProcess> {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const kid = "test";
  const jwks = join(folder, `jwks-${Math.random()}.json`);
  await writeFile(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, issuer: "replication" }] }),
  );
  const running = await startProcess(new URL("./main.ts", import.meta.url), {
    KATTEGAT_CONFIG: networkFile,
    KATTEGAT_SITE: "eu-fra",
    KATTEGAT_JWKS: jwks,
    QDRANT_URL: qdrantUrls.join(","),
  });
  const signer = createTokenSigner({
    privateJwk: { ...(await exportJWK(privateKey)), kid },
    issuer: "replication",
    now: Date.now,
    epoch: () => epoch,
  });
  async function ask(path: string, init: RequestInit): Promise<SiteAnswer> {
    const headers = {
      authorization: await signer.authorization("eu-fra"),
      ...Object.fromEntries(new Headers(init.headers)),
    };
    const send = (): Promise<Response> => fetch(`${running.url}${path}`, { ...init, headers });
    // A connection that lay idle while the test made vectors may have been closed by the site meanwhile.
    const response = await send().catch(send);
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
  }
  return {
    ...running,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: "POST",
        body:
          typeof body === "string"
            ? body
            : body instanceof Uint8Array
              ? Uint8Array.from(body)
              : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    get: (path) => ask(path, {}),
  };
}

export interface Draft {
  readonly id: string;
  readonly sequence: number;
  readonly epoch?: number;
  readonly digest?: string;
  readonly residency?: string;
  readonly collection?: string;
  readonly lang?: string | null;
  readonly metadata?: Record<string, unknown>;
  readonly published_at?: string | null;
  /** A passage for each text. */
  readonly texts?: readonly string[];
  /** The axis of each passage's vector. */
  readonly axis?: number;
}

/** A unit vector near one axis, different for each `lean`. */
export function leaning(axis: number, lean: number): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  vector[axis] = Math.cos(lean);
  vector[(axis + 1) % DIMENSIONS] = Math.sin(lean);
  return vector;
}

export function put(draft: Draft): Change {
  const texts = draft.texts ?? [`text of ${draft.id}`];
  return {
    kind: "put",
    epoch: draft.epoch ?? 1,
    sequence: String(draft.sequence),
    committed_at: new Date().toISOString(),
    document_id: draft.id,
    document: {
      id: draft.id,
      version: String(draft.sequence),
      collection: draft.collection ?? "default",
      title: `Title of ${draft.id}`,
      lang: draft.lang === undefined ? "da" : draft.lang,
      residency: draft.residency ?? "eu",
      tier: "warm",
      published_at: draft.published_at ?? null,
      metadata: draft.metadata ?? {},
      digest: draft.digest ?? `digest-${draft.id}-${draft.sequence}`,
      passages: texts.map((text, index) => ({
        ordinal: index + 1,
        text,
        dense: encodeFloats(leaning(draft.axis ?? 0, 0.01 * (index + 1) + draft.sequence / 1_000)),
        sparse: {
          indices: encodeIntegers(Uint32Array.of(7, 1_000 + index)),
          values: encodeFloats(Float32Array.of(1 + draft.sequence / 64, 2)),
        },
      })),
    },
  };
}

export function withdraw(id: string, sequence: number, epoch = 1): Change {
  return {
    kind: "withdraw",
    epoch,
    sequence: String(sequence),
    committed_at: new Date().toISOString(),
    document_id: id,
    reason: "deleted",
  };
}

export function skip(sequence: number): Change {
  return { kind: "skip", epoch: 1, sequence: String(sequence), committed_at: new Date().toISOString() };
}

export function batch(
  changes: readonly Change[],
  options: {
    readonly watermark: number;
    readonly epoch?: number;
    /** Left out: whatever the site has. */
    readonly after?: number;
    readonly head?: number;
    readonly model?: string;
  },
): ApplyRequest {
  const at = new Date().toISOString();
  return {
    changes: [...changes],
    after: {
      epoch: options.after === undefined ? 0 : (options.epoch ?? 1),
      sequence: String(options.after ?? 0),
    },
    watermark: { epoch: options.epoch ?? 1, sequence: String(options.watermark) },
    watermark_at: at,
    head: { sequence: String(options.head ?? options.watermark), at, model: options.model ?? MODEL },
  };
}

export function search(overrides: Partial<SiteSearchRequest> = {}): SiteSearchRequest {
  return {
    dense: encodeFloats(leaning(0, 0)),
    lexical: { indices: encodeIntegers(Uint32Array.of(7)), values: encodeFloats(Float32Array.of(1)) },
    model: MODEL,
    filter: null,
    collection: "default",
    classes: ["eu", "global"],
    zone: "eu",
    tiers: ["warm"],
    group_by: "document",
    candidates: 100,
    hydrated: 10,
    min_sequence: null,
    deadline_ms: 2_000,
    ...overrides,
  };
}
