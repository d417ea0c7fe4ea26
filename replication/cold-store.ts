/** One zone's cold tier, through its Worker. */
import { createHash } from "node:crypto";
import type { ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { encodeManifest, parseManifest } from "@kattegat/engine/cold/manifest.ts";
import { HEEDS_CACHE_SECONDS } from "@kattegat/engine/cold/removal.ts";
import type { Model } from "@kattegat/config/models.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import { formatDigest } from "@kattegat/protocol/content-digest.ts";
import { z } from "zod";
import type { SiteClient } from "./site-client.ts";

const MANIFEST_TIMEOUT_MS = 10_000;
/** A merged segment over a slow line. */
const OBJECT_TIMEOUT_MS = 60_000;

/** A manifest with the ETag that names exactly this state of it. */
export interface HeldManifest {
  readonly manifest: ColdManifest;
  readonly etag: string;
  /** Whether the edge that answered lets caches keep nothing for longer than the manifest notes. */
  readonly isCacheHeeded: boolean;
}

export interface ColdStore {
  readonly site: string;
  /** Null before the first generation. */
  readManifest(signal: AbortSignal): Promise<HeldManifest | null>;
  /**
   * Replaces the manifest that `etag` names, or makes the first one where `etag` is null.
   *
   * @throws {KattegatError} `conflict` when another one is there.
   */
  writeManifest(manifest: ColdManifest, etag: string | null, signal: AbortSignal): Promise<HeldManifest>;
  /** `withDigest`: the bucket compares what came with a digest and keeps it. */
  putObject(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    options?: { readonly withDigest: boolean },
  ): Promise<void>;
  /** Whether an object that was compared with its digest is there. */
  hasObject(key: string, signal: AbortSignal): Promise<boolean>;
  readObject(
    key: string,
    range: { readonly offset: number; readonly length: number },
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  deleteObject(key: string, signal: AbortSignal): Promise<void>;
  /** The models of which the zone has a manifest. */
  editions(signal: AbortSignal): Promise<readonly Edition[]>;
  /** The same store, for the manifest of another model. */
  ofEdition(edition: Edition): ColdStore;
  /** @throws {KattegatError} `conflict` while the edge's network file names the model. */
  deleteManifest(signal: AbortSignal): Promise<void>;
}

type Edition = Pick<Model, "model" | "dimensions">;

const editionsSchema = z.object({
  editions: z.array(z.object({ model: z.string(), dimensions: z.int() })),
});

/** Speaks of the manifest of one model; objects have names of their own, whichever manifest names them. */
export function createColdStore(client: SiteClient, { model, dimensions }: Edition): ColdStore {
  const query = new URLSearchParams({ model, dimensions: String(dimensions) });
  const manifestPath = `/internal/cold/manifest?${query}`;
  return {
    site: client.site,
    ...objectVerbs(client),
    ofEdition: (edition) => createColdStore(client, edition),
    async editions(signal) {
      const answer = await client.request(
        "/internal/cold/editions",
        { timeoutMs: MANIFEST_TIMEOUT_MS, signal },
        (response) => response.json(),
      );
      return parseShape(editionsSchema, answer, "internal").editions;
    },
    async deleteManifest(signal) {
      await client.request(
        manifestPath,
        { method: "DELETE", timeoutMs: MANIFEST_TIMEOUT_MS, signal },
        (response) => response.arrayBuffer(),
      );
    },
    async readManifest(signal) {
      try {
        return await client.request(
          manifestPath,
          { timeoutMs: MANIFEST_TIMEOUT_MS, signal },
          async (response) => ({
            manifest: parseManifest(new TextDecoder().decode(await response.arrayBuffer())),
            ...conditionsOf(response.headers, client.site),
          }),
        );
      } catch (error) {
        if (error instanceof KattegatError && error.code === "not_found") return null;
        throw error;
      }
    },
    async writeManifest(manifest, etag, signal) {
      const condition = etag === null ? { "if-none-match": "*" } : { "if-match": etag };
      const headers = { "content-type": "application/json", ...condition };
      const request = {
        method: "PUT",
        headers,
        body: encodeManifest(manifest),
        timeoutMs: MANIFEST_TIMEOUT_MS,
        signal,
      } as const;
      return client.request(manifestPath, request, async (response) => {
        await response.arrayBuffer();
        return { manifest, ...conditionsOf(response.headers, client.site) };
      });
    },
  };
}

function objectVerbs(
  client: SiteClient,
): Pick<ColdStore, "putObject" | "hasObject" | "readObject" | "deleteObject"> {
  const objectPath = (key: string): string => `/internal/cold/objects/${key}`;
  return {
    async putObject(key, bytes, signal, { withDigest } = { withDigest: false }) {
      const headers = {
        "content-type": "application/octet-stream",
        "content-length": String(bytes.byteLength),
        ...(withDigest
          ? { "content-digest": formatDigest(createHash("sha256").update(bytes).digest()) }
          : {}),
      };
      await client.request(
        objectPath(key),
        { method: "PUT", headers, body: bytes, timeoutMs: OBJECT_TIMEOUT_MS, signal },
        (response) => response.arrayBuffer(),
      );
    },
    async hasObject(key, signal) {
      try {
        return await client.request(
          objectPath(key),
          // An object may be empty, and then has no range that could be asked for.
          { method: "HEAD", timeoutMs: MANIFEST_TIMEOUT_MS, signal },
          (response) => Promise.resolve(response.headers.get("repr-digest") !== null),
        );
      } catch (error) {
        if (error instanceof KattegatError && error.code === "not_found") return false;
        throw error;
      }
    },
    async readObject(key, { offset, length }, signal) {
      if (length === 0) return new Uint8Array(0);
      const headers = { range: `bytes=${offset}-${offset + length - 1}` };
      return client.request(
        objectPath(key),
        { headers, timeoutMs: OBJECT_TIMEOUT_MS, signal },
        async (response) => {
          const bytes = new Uint8Array(await response.arrayBuffer());
          return response.status === 206 ? bytes : bytes.subarray(offset, offset + length);
        },
      );
    },
    async deleteObject(key, signal) {
      await client
        .request(objectPath(key), { method: "DELETE", timeoutMs: MANIFEST_TIMEOUT_MS, signal }, (response) =>
          response.arrayBuffer(),
        )
        .catch((error: unknown) => {
          if (!(error instanceof KattegatError && error.code === "not_found")) throw error;
        });
    },
  };
}

function conditionsOf(headers: Pick<Headers, "get">, site: string): Omit<HeldManifest, "manifest"> {
  const etag = headers.get("etag");
  if (etag === null)
    throw new KattegatError("internal", `Expected an ETag with the manifest of ${site}; none came.`);
  return { etag, isCacheHeeded: headers.get(HEEDS_CACHE_SECONDS.header) === HEEDS_CACHE_SECONDS.value };
}
