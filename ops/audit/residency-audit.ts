/** One audit from question to report: asks, heals when told to, asks again. */
import { todayUtc } from "@kattegat/config/day.ts";
import type { Network, Site } from "@kattegat/config/network.ts";
import { policyVersion } from "@kattegat/config/policy-version.ts";
import { decideHold } from "@kattegat/config/residency.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { ledgerCheckpointSchema } from "@kattegat/protocol/ledger.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import type { OperatorClient } from "../client/operator-client.ts";
import { archiveVariable } from "../settings.ts";
import type { ArchiveReadingOptions } from "./archive-reading.ts";
import { audit, type Audited } from "./audit.ts";
import { repair } from "./repair.ts";
import {
  NOT_ASKED,
  NOT_RUNNING,
  cannotSee,
  type AuditReport,
  type ClassReport,
  type RepairReport,
  type SiteReport,
} from "./report.ts";
import { answeringSite, archiveSite, type AuditedSite } from "./site-lines.ts";
import { noFindings, totalOf, type SiteTally } from "./site-tally.ts";

export interface ResidencyAuditOptions {
  readonly network: Network;
  readonly networkFile: string;
  /** As the person typed it. */
  readonly asked: string;
  /** The only site besides the primary; null for all. */
  readonly only: string | null;
  readonly isRepairing: boolean;
  readonly status: () => Promise<NetworkStatus>;
  readonly site: (id: string) => OperatorClient | null;
  /** Null for an archive whose server is not known here. */
  readonly bucket: (site: Site) => Bucket | null;
  /** Opens the objects of archives; null where their names alone are asked. */
  readonly authenticator: ArchiveReadingOptions["authenticator"] | null;
  readonly scanner: Scanner;
  readonly now: () => number;
  readonly progress: (text: string) => void;
}

export async function residencyAudit(options: ResidencyAuditOptions): Promise<AuditReport> {
  const { network, isRepairing, progress, status, site } = options;
  const startedAt = new Date(options.now()).toISOString();
  const sites = askedSites(options);
  const record = sites.find((each) => each.site.kind === "primary");
  const primary = record === undefined ? null : site(record.site.id);
  if (primary === null)
    throw new KattegatError("unavailable", "The network does not tell the address of its primary.");
  const once = async (): Promise<Audited> => {
    const { policy } = await status();
    return await audit({
      ...options,
      sites,
      primary,
      isReplanning: policy !== null && policy.checked !== null,
    });
  };
  let audited = await once();
  let repaired: RepairReport | null = null;
  if (isRepairing && hasFindings(audited)) {
    progress(`${audited.findings.length} findings; they are healed`);
    const strays = [...audited.tallies].flatMap(([id, { objects }]) =>
      (objects?.stray ?? []).map((key) => ({ site: id, key })),
    );
    repaired = await repair(audited.findings, {
      primary,
      site,
      bucket: bucketIn(options),
      status,
      seen: sites.map((each) => each.site.id),
      strays,
    });
    progress("asked again");
    audited = await once();
  }
  const { policy } = await status();
  const own = policyVersion(network);
  const { counts, findings, findingsLeftOut, documents, head } = summary(audited);
  const reports = network.sites.map((each) => siteReport(each, audited.tallies.get(each.id), options));
  const ledger = await checkpointOf(primary);
  return {
    format: "kattegat-audit/1",
    asked: options.asked,
    started_at: startedAt,
    finished_at: new Date(options.now()).toISOString(),
    network_file: options.networkFile,
    policy: own,
    policy_of_primary: policy === null || policy.policy === own ? null : policy.policy,
    log: head,
    ledger,
    documents,
    sites: reports,
    counts,
    stray_objects: reports.reduce((sum, { objects }) => sum + (objects?.stray.length ?? 0), 0),
    pending: reports.reduce((sum, { pending }) => sum + pending, 0),
    findings,
    findings_left_out: findingsLeftOut,
    repair: repaired,
    cannot_see: cannotSee(reports),
  };
}

function askedSites(options: ResidencyAuditOptions): readonly AuditedSite[] {
  const { network, only, site, scanner, authenticator, progress } = options;
  return network.sites.flatMap((each): readonly AuditedSite[] => {
    const isAsked = only === null || each.id === only || each.kind === "primary";
    if (!each.running || !isAsked) return [];
    if (each.kind === "archive") {
      const bucket = options.bucket(each);
      const { model } = network.embedding;
      return bucket === null ? [] : [archiveSite(each, bucket, { model, authenticator, progress })];
    }
    const client = isAnswering(each) ? site(each.id) : null;
    return client === null ? [] : [answeringSite(each, client, { scanner })];
  });
}

function isAnswering({ kind }: Site): boolean {
  return kind === "primary" || kind === "regional" || kind === "edge";
}

function bucketIn({ network, bucket }: ResidencyAuditOptions): (id: string) => Bucket | null {
  return (id) => {
    const site = network.sites.find((each) => each.id === id);
    return site?.kind === "archive" ? bucket(site) : null;
  };
}

function summary(audited: Audited) {
  const counts = totalOf([...audited.tallies.values()].map(({ findings }) => findings));
  return { ...audited, counts };
}

function hasFindings({ findings, tallies }: Audited): boolean {
  return findings.length > 0 || [...tallies.values()].some(({ objects }) => (objects?.stray.length ?? 0) > 0);
}

function siteReport(site: Site, tally: SiteTally | undefined, options: ResidencyAuditOptions): SiteReport {
  const { network } = options;
  const names = new Set([...Object.keys(network.classes), ...(tally?.classes.keys() ?? [])]);
  const classes = [...names].map((name): ClassReport => {
    const { allowed, rules } = decideHold(network, name, site, todayUtc());
    return { class: name, copies: tally?.classes.get(name) ?? 0, allowed, rules };
  });
  return {
    site: site.id,
    kind: site.kind,
    country: site.country ?? null,
    zone: site.zone ?? null,
    unseen: unseenOf(site, tally, options),
    took_ms: tally?.tookMs ?? null,
    shelves: tally?.shelves ?? [],
    classes,
    hidden: tally?.hidden ?? 0,
    pending: tally?.pending ?? 0,
    findings: tally?.findings ?? noFindings(),
    objects: tally?.objects ?? null,
  };
}

function unseenOf(site: Site, tally: SiteTally | undefined, { only }: ResidencyAuditOptions): string | null {
  if (tally !== undefined) return tally.unseen;
  if (!site.running) return NOT_RUNNING;
  if (isAnswering(site) || (only !== null && only !== site.id)) return NOT_ASKED;
  return site.kind === "archive"
    ? `its S3 server is not known here: name it in ${archiveVariable(site.id)}, its key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`
    : "no process answers for it yet";
}

async function checkpointOf(primary: OperatorClient): Promise<AuditReport["ledger"]> {
  try {
    const { note, verifier_key } = await primary.json(ledgerCheckpointSchema, "/internal/ledger/checkpoint");
    return { checkpoint: note, verifier_key };
  } catch (error) {
    // Nothing was written yet.
    if (error instanceof KattegatError && error.code === "not_found") return null;
    throw error;
  }
}
