/** What the stores of a test's network hold, as each tells the operator. */
import type { Site } from "@kattegat/config/network.ts";
import type { CopyLine, HoldingLine, RecordLine } from "@kattegat/protocol/holdings.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { readArchiveCopies } from "../audit/archive-copies.ts";
import { readColdCopies } from "../audit/cold-copies.ts";
import { readHoldings } from "../audit/site-lines.ts";
import { connectSites } from "../commands/connection.ts";
import { readNetwork } from "../configured-network.ts";
import { readSettings } from "../settings.ts";
import type { TestNetwork } from "./network.fixture.ts";

/** A store that is down refuses at once; one that was stopped never answers. */
const READ_MS_MAX = 20_000;

export interface Held {
  readonly records: readonly RecordLine[];
  readonly copies: readonly CopyLine[];
}

export interface Stores {
  /** Rejects when the site does not tell everything. */
  read(site: string): Promise<Held>;
}

export async function connectStores(
  network: TestNetwork,
  kinds: Readonly<Record<string, Site["kind"]>>,
): Promise<Stores> {
  const connected = await connectSites(readSettings({ KATTEGAT_DATA: network.data }), { url: network.url });
  const scanner = readScanner();
  const sites = readNetwork(readSettings({})).network.sites;
  /** Its copies have the SHA-256 of their documents' ids in the place of these. */
  async function readArchive(site: string): Promise<Held> {
    const archive = sites.find(({ id }) => id === site);
    const bucket = archive && connected.bucket(archive);
    if (bucket === undefined || bucket === null) throw new Error(`the bucket of ${site} is not known`);
    const copies: CopyLine[] = [];
    const signal = AbortSignal.timeout(READ_MS_MAX);
    for await (const line of readArchiveCopies(bucket, { reading: null, model: "", signal }))
      if (line.kind === "archived")
        copies.push({ ...line, kind: "copy", document_id: line.document, passages: null, hidden: false });
    return { records: [], copies };
  }
  return {
    async read(site) {
      if (kinds[site] === "archive") return await readArchive(site);
      const client = connected.site(site);
      if (client === null) throw new Error(`${site} has no address`);
      const records: RecordLine[] = [];
      const copies: CopyLine[] = [];
      const hear = (line: HoldingLine): void => {
        if (line.kind === "record") records.push(line);
        if (line.kind === "copy") copies.push(line);
      };
      await readHoldings(client, async (line) => hear(line));
      if (kinds[site] === "edge") {
        const signal = AbortSignal.timeout(READ_MS_MAX);
        for await (const line of readColdCopies(client, { scanner, signal })) hear(line);
      }
      return { records, copies };
    },
  };
}

/** Document → what a search can find of it: the parts of one version count together, two versions stand beside each other; NaN where a store does not count. */
export function searchable(copies: readonly CopyLine[]): ReadonlyMap<string, string> {
  const documents = new Map<string, Map<string, number>>();
  for (const { document_id: id, version, class: residency, passages, hidden } of copies) {
    if (hidden) continue;
    const versions = documents.get(id) ?? new Map<string, number>();
    const key = `${version} ${residency}`;
    documents.set(id, versions.set(key, (versions.get(key) ?? 0) + (passages ?? Number.NaN)));
  }
  const shown = (versions: ReadonlyMap<string, number>): string =>
    [...versions].map(([version, passages]) => `${version} ${passages}`).join(" and ");
  return new Map([...documents].map(([id, versions]) => [id, shown(versions)]));
}
