/** Asks every site what it holds, and compares. */
import { todayUtc } from "@kattegat/config/day.ts";
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { Placements } from "@kattegat/primary-dk/documents/placements.ts";
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import { FENCE_ZERO, compareSequences } from "@kattegat/protocol/sequence.ts";
import {
  ASKED_DOCUMENTS_MAX,
  changedResponseSchema,
  type HoldingLine,
  type StoreLine,
} from "@kattegat/protocol/holdings.ts";
import type { OperatorClient } from "../client/operator-client.ts";
import { FINDING_KINDS, judge, lastSequenceOf, type Finding, type Shelf, type View } from "./compare.ts";
import { byDocument, decodeRow, encodeRow, type ArchivedLine, type DocumentRows } from "./row.ts";
import { readSite, type AuditedSite, type Objects, type SiteLines } from "./site-lines.ts";
import { SortedTexts } from "./sorted-texts.ts";
import { SiteTally } from "./site-tally.ts";

/** Findings that are kept to be shown and healed, some three megabytes; more are counted. */
const FINDINGS_MAX = 10_000;

export interface AuditOptions {
  readonly network: Network;
  /** The sites that are asked, the primary among them. */
  readonly sites: readonly AuditedSite[];
  readonly primary: OperatorClient;
  readonly now: () => number;
  /** Whether the primary says that a change of its policy is being carried out. */
  readonly isReplanning: boolean;
  readonly progress: (text: string) => void;
}

export interface Audited {
  readonly documents: number;
  readonly head: { readonly epoch: number; readonly sequence: string };
  readonly tallies: ReadonlyMap<string, SiteTally>;
  readonly findings: readonly Finding[];
  readonly findingsLeftOut: number;
}

/** @throws {KattegatError} when the primary does not answer: without its record there is nothing to compare with. */
export async function audit(options: AuditOptions): Promise<Audited> {
  const { network, sites, now, progress } = options;
  const primary = sites.find(({ site }) => site.kind === "primary");
  if (primary === undefined) throw new RangeError("expected a primary among the sites that are asked");
  const texts = new SortedTexts();
  try {
    const tallies = new Map(sites.map(({ site }) => [site.id, new SiteTally(site)]));
    const read = async (each: AuditedSite): Promise<SiteLines> => {
      const startedMs = now();
      const lines = await readSite(each, { take: (row) => texts.add(encodeRow(row)) });
      tallies.get(each.site.id)?.toldIn(now() - startedMs);
      progress(`${each.site.id} has told what it holds`);
      return lines;
    };
    // First, so that whatever the others have had since is later than its record, and is asked about again.
    const record = await read(primary);
    const others = await Promise.all(
      sites
        .filter((each) => each !== primary)
        .map(async (each) => {
          const lines = await read(each).catch((error: unknown) => {
            tallies.get(each.site.id)?.missed(error);
            return null;
          });
          return [each, lines] as const;
        }),
    );
    const shelves = [
      ...shelvesOf(network, primary, record),
      ...others.flatMap(([each, lines]) => (lines === null ? [] : shelvesOf(network, each, lines))),
    ];
    for (const [each, lines] of others)
      if (lines !== null)
        tallies.get(each.site.id)?.stored(lines.objects, await strayIn(each, lines.objects));
    for (const [id, tally] of tallies) tally.shelves = shelves.filter(({ site }) => site === id);
    const [own = FENCE_ZERO] = record.stores;
    const head = { epoch: own.epoch, sequence: own.sequence };
    const { confirmed } = record;
    const view = viewOf(options, { shelves, primary: primary.site.id, head, confirmed });
    const compared = await compareAll(rowsOf(texts), view, { tallies, primary: options.primary });
    return { ...compared, tallies, head };
  } finally {
    await texts.remove();
  }
}

function rowsOf(texts: SortedTexts): AsyncGenerator<DocumentRows> {
  async function* rows() {
    for await (const text of texts.read()) yield decodeRow(text);
  }
  return byDocument(rows());
}

function viewOf(
  { network, now, isReplanning }: AuditOptions,
  seen: Pick<View, "shelves" | "primary" | "head" | "confirmed">,
): View {
  const placements = new Placements(network, now);
  const today = todayUtc();
  const holding = new Map<string, boolean>();
  const archives = new Set(network.sites.filter(({ kind }) => kind === "archive").map(({ id }) => id));
  return {
    ...seen,
    isReplanning,
    mayHold(className, site) {
      const key = JSON.stringify([className, site]);
      const known = holding.get(key);
      if (known !== undefined) return known;
      const allowed = mayHold(network, className, { id: site }, today);
      holding.set(key, allowed);
      return allowed;
    },
    planned: ({ class: residency, tier, moving_from }) =>
      placements.holders({ residency, tier, moving_from }),
    isArchive: (site) => archives.has(site),
  };
}

function shelvesOf(network: Network, { site }: AuditedSite, { stores }: SiteLines): readonly Shelf[] {
  const models = modelsOf(network).map(({ model }) => model);
  return stores.map((store) => ({
    site: site.id,
    store: store.store,
    role: roleOf(store, models),
    epoch: store.epoch,
    sequence: store.sequence,
    isWhole: store.whole_at !== null && compareSequences(store.sequence, store.whole_at) >= 0,
  }));
}

function roleOf({ model }: StoreLine, models: readonly string[]): Shelf["role"] {
  if (model === models[0]) return "serving";
  return models.includes(model) ? "next" : "former";
}

/** An object may be on its way to its name, or be deleted just now: what still has none at a second look is stray. */
async function strayIn({ tell }: AuditedSite, { nameless }: Objects): Promise<readonly string[]> {
  if (nameless.size === 0) return [];
  const still: string[] = [];
  const hear = async (line: HoldingLine | ArchivedLine): Promise<void> => {
    if (line.kind === "object" && line.named === "nothing" && nameless.has(line.key)) still.push(line.key);
  };
  await tell(hear, { isSecondLook: true });
  return still;
}

interface Suspect {
  readonly findings: readonly Finding[];
  readonly id: string | null;
  readonly last: string | null;
}

/** What has changed since the record was read is not held against anybody: it is asked about again by the next audit. */
async function compareAll(
  documents: AsyncIterable<DocumentRows>,
  view: View,
  {
    tallies,
    primary,
  }: { readonly tallies: ReadonlyMap<string, SiteTally>; readonly primary: OperatorClient },
): Promise<Pick<Audited, "documents" | "findings" | "findingsLeftOut">> {
  const findings: Finding[] = [];
  let count = 0;
  let leftOut = 0;
  let suspects: Suspect[] = [];
  const settle = async (): Promise<void> => {
    const changed = await changedSince(suspects, primary);
    for (const suspect of suspects)
      for (const finding of suspect.findings) {
        const tally = tallies.get(finding.site);
        if (changed.has(suspect)) tally?.isPending();
        else {
          tally?.found(finding.kind);
          if (findings.length < FINDINGS_MAX) findings.push(finding);
          else leftOut += 1;
        }
      }
    suspects = [];
  };
  for await (const rows of documents) {
    if (rows.record !== null) count += 1;
    for (const [site, tally] of tallies) tally.held(rows, site);
    const judgement = judge(rows, view);
    for (const site of judgement.pending) tallies.get(site)?.isPending();
    if (judgement.findings.length === 0) continue;
    suspects.push({ findings: judgement.findings, id: rows.id, last: lastSequenceOf(rows) });
    if (suspects.length >= ASKED_DOCUMENTS_MAX) await settle();
  }
  await settle();
  const order = (finding: Finding): number => FINDING_KINDS.indexOf(finding.kind);
  return {
    documents: count,
    findings: findings.toSorted((a, b) => order(a) - order(b)),
    findingsLeftOut: leftOut,
  };
}

async function changedSince(
  suspects: readonly Suspect[],
  primary: OperatorClient,
): Promise<ReadonlySet<Suspect>> {
  // A store may name a document as no log can.
  const ids = suspects.flatMap(({ id }) =>
    id === null || !documentIdSchema.safeParse(id).success ? [] : [id],
  );
  if (ids.length === 0) return new Set();
  const question = { body: { documents: ids } };
  const { changes } = await primary.json(changedResponseSchema, "/internal/holdings:changed", question);
  const now = new Map(changes.map(({ document_id, sequence }) => [document_id, sequence]));
  return new Set(suspects.filter(({ id, last }) => id !== null && (now.get(id) ?? null) !== last));
}
