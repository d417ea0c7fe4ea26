/** A zone's Worker on a loopback socket, with objects in memory. */
import { keysOfBase } from "@kattegat/engine/cold/manifest-base.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { keysOf, parseManifest, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { HEEDS_CACHE_SECONDS } from "@kattegat/engine/cold/removal.ts";
import { openSegment } from "@kattegat/engine/cold/segment.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import { openBaseSource } from "./base-source.ts";
import type { DocumentVersion } from "./cold-table.ts";
import { serveLoopback, type Loopback } from "./fakes.fixture.ts";
import { readScanner } from "./scanner.ts";

export const scanner = readScanner();

export interface FakeEdge extends Loopback {
  readonly objects: Map<string, Uint8Array>;
  /** What objects were sent with, by key. */
  readonly digests: Map<string, string>;
  readonly published: ColdManifest[];
  /** Whether its caches heed what a manifest notes, as those of a release before do not. */
  isCacheHeeded: boolean;
  /** Manifests of other models than that of `published`, by the model. */
  readonly others: Map<string, ColdManifest>;
  /** Called with each manifest before it is stored. */
  before: (manifest: ColdManifest) => void;
  /** Called after a manifest is stored: a throw loses the answer. */
  after: (manifest: ColdManifest) => void;
  /** Called when an object has come, before its sender hears of it. */
  uploaded: (key: string) => Promise<void>;
  /** Called when an object is gone, before its sender hears of it. */
  deleted: (key: string) => Promise<void>;
  /** Makes another writer's change, as a second replication would. */
  interfere(edit: (manifest: ColdManifest) => ColdManifest): void;
  manifest(): ColdManifest;
  /** What a reader finds: document id → version; throws when a document is visible twice or an object is gone. */
  visible(): Promise<Map<string, string>>;
}

export async function serveEdge(): Promise<FakeEdge> {
  const objects = new Map<string, Uint8Array>();
  const digests = new Map<string, string>();
  const published: ColdManifest[] = [];
  const others = new Map<string, ColdManifest>();
  const state: Pick<FakeEdge, "before" | "after" | "uploaded" | "deleted" | "isCacheHeeded"> = {
    isCacheHeeded: true,
    uploaded: () => Promise.resolve(),
    deleted: () => Promise.resolve(),
    before: () => undefined,
    after: () => undefined,
  };
  const headersNow = (): Record<string, string> => ({
    etag: etag(),
    ...(state.isCacheHeeded ? { [HEEDS_CACHE_SECONDS.header]: HEEDS_CACHE_SECONDS.value } : {}),
  });
  const etag = (): string => `"${published.length}"`;
  const manifest = (): ColdManifest => {
    const last = published.at(-1);
    if (last === undefined) throw new Error("expected a manifest");
    return last;
  };
  const loopback = await serveLoopback(async (request, response, url, body) => {
    const key = url.pathname.startsWith("/internal/cold/objects/") ? url.pathname.slice(23) : null;
    if (key === null) {
      const other = others.get(url.searchParams.get("model") ?? "");
      if (url.pathname === "/internal/cold/editions") {
        const all = [...published.slice(-1), ...others.values()];
        response.end(
          JSON.stringify({ editions: all.map(({ model, dimensions }) => ({ model, dimensions })) }),
        );
        return;
      }
      if (other !== undefined) {
        if (request.method === "DELETE") {
          others.delete(other.model);
          await state.deleted(url.pathname);
        }
        response.writeHead(200, { etag: "other" }).end(JSON.stringify(other));
        return;
      }
      if (url.pathname !== "/internal/cold/manifest") throw new KattegatError("not_found", url.pathname);
      if (request.method === "PUT") {
        const next = parseManifest(body.toString());
        state.before(next);
        const last = published.at(-1);
        // Before the condition, as the Worker does it: a stale writer may hear of its watermark first.
        if (last !== undefined && compareFences(next.watermark, last.watermark) < 0)
          throw new KattegatError("stale_epoch", "backwards");
        const isCurrent =
          published.length === 0
            ? request.headers["if-none-match"] === "*"
            : request.headers["if-match"] === etag();
        if (!isCurrent) throw new KattegatError("conflict", "another manifest is there");
        published.push(next);
        state.after(next);
        response.writeHead(200, headersNow()).end("{}");
        return;
      }
      if (published.length === 0) throw new KattegatError("not_found", "no manifest");
      response.writeHead(200, headersNow()).end(JSON.stringify(manifest()));
      return;
    }
    if (request.method === "PUT") {
      objects.set(key, new Uint8Array(body));
      const digest = request.headers["content-digest"];
      if (typeof digest === "string") digests.set(key, digest);
      await state.uploaded(key);
      response.writeHead(201).end();
      return;
    }
    const object = objects.get(key);
    if (object === undefined) throw new KattegatError("not_found", key);
    if (request.method === "DELETE") {
      if ([...others.values()].some((manifest) => keysOf(manifest).includes(key)))
        throw new KattegatError("conflict", `${key} is named`);
      objects.delete(key);
      await state.deleted(key);
      response.writeHead(204).end();
      return;
    }
    const digest = digests.get(key);
    const headers = digest === undefined ? {} : { "repr-digest": digest };
    if (request.method === "HEAD") {
      response.writeHead(200, headers).end();
      return;
    }
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    response
      .writeHead(206, headers)
      .end(object.subarray(Number(from), to === "" ? object.length : Number(to) + 1));
  });
  return Object.assign(state, loopback, {
    objects,
    digests,
    published,
    others,
    manifest,
    interfere: (edit: (manifest: ColdManifest) => ColdManifest) => void published.push(edit(manifest())),
    visible: () => visibleIn(manifest(), objects),
  });
}

async function visibleIn(
  manifest: ColdManifest,
  objects: ReadonlyMap<string, Uint8Array>,
): Promise<Map<string, string>> {
  const visible = new Map<string, string>();
  for (const { documentId, version } of await visibleInBase(manifest, objects))
    visible.set(documentId, version);
  for (const { key, bytes, tombstones } of manifest.segments) {
    const object = objects.get(key);
    if (object === undefined) throw new Error(`${key} is in the manifest, but gone`);
    const segment = await openSegment(
      (offset, length) => Promise.resolve(object.subarray(offset, offset + length)),
      { scanner, totalBytes: bytes },
    );
    for (const { documentId, version } of segment.documents()) {
      if (tombstones.includes(documentId)) continue;
      if (visible.has(documentId)) throw new Error(`${documentId} is visible twice`);
      visible.set(documentId, version);
    }
  }
  return visible;
}

async function visibleInBase(
  { base }: ColdManifest,
  objects: ReadonlyMap<string, Uint8Array>,
): Promise<readonly DocumentVersion[]> {
  if (base === null) return [];
  for (const key of keysOfBase(base))
    if (!objects.has(key)) throw new Error(`${key} is in the manifest, but gone`);
  const source = await openBaseSource({ key: base.key, rootBytes: base.root.bytes }, (key, offset, length) =>
    Promise.resolve(objects.get(key)?.subarray(offset, offset + length) ?? new Uint8Array(0)),
  );
  const dead = new Set(decodeNumbers(base.tombstones));
  return (await source.documents()).filter((_, number) => !dead.has(number));
}
