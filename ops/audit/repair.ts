/** Heals what an audit found, through the doors that replication uses. */
import { setTimeout as sleep } from "node:timers/promises";
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import { ASKED_DOCUMENTS_MAX, repairResponseSchema } from "@kattegat/protocol/holdings.ts";
import { isStorable } from "@kattegat/protocol/storable-text.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import type { OperatorClient } from "../client/operator-client.ts";
import { removeCopy, removeStray } from "./archive-copies.ts";
import type { Finding } from "./compare.ts";
import type { RepairReport } from "./report.ts";

/** Some objects are listed and deleted in a second or two. */
const REPAIR_MS_MAX = 60_000;
/** Replication brings thousands of changes in it; a site that is away longer is named. */
const WAIT_MS_MAX = 60_000;
const POLL_MS = 500;

export interface RepairOptions {
  readonly primary: OperatorClient;
  readonly site: (id: string) => OperatorClient | null;
  /** Of an archive. */
  readonly bucket: (id: string) => Bucket | null;
  readonly status: () => Promise<NetworkStatus>;
  /** Sites whose stores were compared. */
  readonly seen: readonly string[];
  readonly strays: readonly { readonly site: string; readonly key: string }[];
}

interface Order {
  readonly document_id: string;
  readonly class: string;
  readonly from: string[];
}

/**
 * Resolves when every site has come so far, or the time is over.
 *
 * One change for each document carries it anew to where it is planned and withdraws it from where it was found: so all fences
 * hold, whatever else is written meanwhile.
 */
export async function repair(
  findings: readonly Finding[],
  { primary, site, bucket, status, seen, strays }: RepairOptions,
): Promise<RepairReport> {
  const isNameless = (finding: Finding): boolean =>
    finding.document_id === null && finding.store !== null && bucket(finding.site) !== null;
  // An archive's object says whose it is by a digest: where nothing else knows the document, the log cannot name it.
  const nameless = findings.filter(isNameless);
  const { orders, impossible } = ordersOf(findings.filter((finding) => !isNameless(finding)));
  let sequence: string | null = null;
  for (let from = 0; from < orders.length; from += ASKED_DOCUMENTS_MAX) {
    const documents = orders.slice(from, from + ASKED_DOCUMENTS_MAX);
    const question = { body: { documents } };
    ({ sequence } = await primary.json(repairResponseSchema, "/internal/holdings:repair", question));
  }
  for (const finding of nameless) {
    const archive = bucket(finding.site);
    if (archive !== null) await removeCopy(archive, finding, AbortSignal.timeout(REPAIR_MS_MAX));
  }
  for (const { site: id, key } of strays) {
    const archive = bucket(id);
    if (archive !== null) {
      await removeStray(archive, key, AbortSignal.timeout(REPAIR_MS_MAX));
      continue;
    }
    const request = {
      method: "DELETE",
      timeoutMs: REPAIR_MS_MAX,
      signal: new AbortController().signal,
    } as const;
    const path = `/internal/holdings/object?${new URLSearchParams({ key })}`;
    await site(id)?.request(path, request, (response) => response.arrayBuffer());
  }
  const waitingFor = sequence === null ? [] : await untilReached(sequence, { status, seen });
  return {
    documents: orders.length,
    objects: strays.length + nameless.length,
    sequence,
    impossible,
    waitingFor,
  };
}

function ordersOf(findings: readonly Finding[]): {
  readonly orders: readonly Order[];
  readonly impossible: number;
} {
  const orders = new Map<string, Order>();
  let impossible = 0;
  for (const { document_id: id, class: name, site, kind } of findings) {
    // The log names documents by their ids: a copy without one, or an entry that outlived its own, it cannot withdraw.
    if (id === null || !documentIdSchema.safeParse(id).success) {
      impossible += 1;
      continue;
    }
    const told = (name ?? "none").slice(0, 256);
    // A copy may say of its class what no log can keep.
    const known = isStorable(told) ? told : "unknown";
    const order = orders.get(id) ?? { document_id: id, class: known, from: [] };
    const isWithdrawn = kind === "leak" || kind === "orphan" || kind === "recorded only";
    if (isWithdrawn && !order.from.includes(site)) order.from.push(site);
    orders.set(id, order);
  }
  return { orders: [...orders.values()], impossible };
}

/** Resolves with the sites that have not come so far in time. */
async function untilReached(
  sequence: string,
  { status, seen }: Pick<RepairOptions, "status" | "seen">,
): Promise<readonly string[]> {
  const endsAt = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const { sites } = await status();
    const waitingFor = sites
      .filter(({ id, watermark }) => seen.includes(id) && compareSequences(watermark ?? "0", sequence) < 0)
      .map(({ id }) => id);
    if (waitingFor.length === 0 || performance.now() >= endsAt) return waitingFor;
    await sleep(POLL_MS);
  }
}
