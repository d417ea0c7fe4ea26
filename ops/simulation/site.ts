/** A place with copies, as the checks see it. */
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type { Answer, SiteRequest } from "@kattegat/replication/site-client.ts";

export interface Copy {
  readonly documentId: string;
  readonly version: string;
  readonly residency: string;
  readonly text: string;
  /** The change that brought it, where the site keeps that. */
  readonly fence: Fence | null;
  /** Whether other passages than its own are shown beside it. */
  readonly isMixed: boolean;
}

export interface Site {
  readonly id: string;
  readonly kind: "regional" | "edge";
  /** Goes up with every change of what is stored. */
  readonly stamp: number;
  /** Goes up whenever the store is replaced by another, or an older, one. */
  readonly life: number;
  readonly watermark: Fence;
  /** By document; what a search would find. */
  copies(): ReadonlyMap<string, Copy>;
  /** What is wrong with the store itself, or null. */
  damage(): string | null;
  handle(path: string, request: SiteRequest): Promise<Answer>;
  /** Kills the process, which is at once started anew. */
  restart(): void;
  backup(): void;
  /** Brings the last backup back; resolves with whether there was one. */
  restore(): boolean;
  /** Leaves an empty store. */
  wipe(): void;
}

/** As a site's HTTP server answers. */
export function answerOf(
  value: unknown,
  {
    etag = null,
    bytes = new Uint8Array(0),
  }: { readonly etag?: string | null; readonly bytes?: Uint8Array } = {},
): Answer {
  return {
    ok: true,
    status: 200,
    headers: { get: (name) => (name === "etag" ? etag : null) },
    body: null,
    json: () => Promise.resolve(value),
    arrayBuffer: () => Promise.resolve(new Uint8Array(bytes).buffer),
  };
}
