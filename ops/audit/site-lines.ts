/** Asks one site for its holdings. */
import { holdingLineSchema, type HoldingLine, type StoreLine } from "@kattegat/protocol/holdings.ts";
import type { Site } from "@kattegat/config/network.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { SiteClient } from "@kattegat/replication/site-client.ts";
import { splitLines } from "../client/lines.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import { readArchiveCopies } from "./archive-copies.ts";
import { ArchiveReading, type ArchiveReadingOptions } from "./archive-reading.ts";
import { readColdCopies } from "./cold-copies.ts";
import { documentOf, type ArchivedLine, type AuditRow } from "./row.ts";

/** A million documents at a rate that leaves the site its searches. */
const SITE_MS_MAX = 600_000;
/** A million objects of an archive, opened at a hundred a second. */
const READING_MS_MAX = 10_800_000;

/** The index is one shelf for an audit, wherever its parts rest. */
export const INDEX = "index";

/** What a site says of itself; its copies have gone to the caller one by one. */
export interface SiteLines {
  readonly stores: readonly StoreLine[];
  readonly objects: Objects;
  /** Of the ledger, which the primary keeps: how far each site's confirmations are in it. */
  readonly confirmed: ReadonlyMap<string, string>;
}

/** Of a bucket. */
export interface Objects {
  readonly count: number;
  readonly bytes: number;
  /** Those that were read, of an archive whose objects were to be. */
  readonly opened: number | null;
  /** Those that nothing names. */
  readonly nameless: ReadonlySet<string>;
}

type Line = HoldingLine | ArchivedLine;

export interface AuditedSite {
  readonly site: Site;
  /** Resolves when the site's stores have told everything. A second look is at names alone. */
  readonly tell: (
    hear: (line: Line) => Promise<void>,
    options?: { readonly isSecondLook: boolean },
  ) => Promise<void>;
}

/** A site that answers for its stores; a zone's bucket is read through it. */
export function answeringSite(
  site: Site,
  client: SiteClient,
  { scanner }: { readonly scanner: Scanner },
): AuditedSite {
  return {
    site,
    async tell(hear) {
      await readHoldings(client, async (line) => hear(site.kind === "primary" ? onIndex(line) : line));
      if (site.kind !== "edge") return;
      const signal = AbortSignal.timeout(SITE_MS_MAX);
      for await (const line of readColdCopies(client, { scanner, signal })) await hear(line);
    },
  };
}

/** An archive has no process: its bucket is listed, and its objects are opened where an `authenticator` is given. */
export function archiveSite(
  site: Site,
  bucket: Bucket,
  {
    model,
    authenticator,
    progress,
  }: {
    readonly model: string;
    readonly authenticator: ArchiveReadingOptions["authenticator"] | null;
    readonly progress: (text: string) => void;
  },
): AuditedSite {
  return {
    site,
    async tell(hear, { isSecondLook } = { isSecondLook: false }) {
      const isReading = authenticator !== null && !isSecondLook;
      const signal = AbortSignal.timeout(isReading ? READING_MS_MAX : SITE_MS_MAX);
      const told = (objects: number): void =>
        progress(`${site.id}: ${objects.toLocaleString("en")} objects are opened`);
      const reading = isReading
        ? new ArchiveReading({ bucket, authenticator, signal, progress: told })
        : null;
      for await (const line of readArchiveCopies(bucket, { model, reading, signal })) await hear(line);
      reading?.assertKeyring();
    },
  };
}

/** @throws {KattegatError} when the site does not tell everything. */
export async function readSite(
  { site, tell }: AuditedSite,
  { take }: { readonly take: (row: AuditRow) => Promise<void> },
): Promise<SiteLines> {
  const stores: StoreLine[] = [];
  const objects = { count: 0, bytes: 0, nameless: new Set<string>() };
  let opened: number | null = null;
  const confirmed = new Map<string, string>();
  await tell(async (line) => {
    const document = documentOf(line);
    if (line.kind === "archived" && line.opened) opened = (opened ?? 0) + 1;
    if (document !== null) await take({ document, site: site.id, line });
    else if (line.kind === "store") stores.push(line);
    else if (line.kind === "object") {
      objects.count += 1;
      objects.bytes += line.bytes;
      if (line.named === "nothing") objects.nameless.add(line.key);
    } else if (line.kind === "confirmed") confirmed.set(line.site, line.sequence);
  });
  const own = site.kind === "primary" ? stores.slice(0, 1) : stores;
  return { stores: own, objects: { ...objects, opened }, confirmed };
}

export async function readHoldings(
  client: SiteClient,
  hear: (line: HoldingLine) => Promise<void>,
): Promise<void> {
  const request = { timeoutMs: SITE_MS_MAX, signal: new AbortController().signal };
  await client.request("/internal/holdings", request, async ({ body }) => {
    if (body !== null)
      for await (const text of splitLines(body)) {
        const line = holdingLineSchema.parse(JSON.parse(text));
        if (line.kind === "end") return;
        await hear(line);
      }
    throw new KattegatError("unavailable", `${client.site} ended before it had told everything.`);
  });
}

function onIndex(line: HoldingLine): HoldingLine {
  return line.kind === "store" || line.kind === "copy" ? { ...line, store: INDEX } : line;
}
