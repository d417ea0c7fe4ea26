/** What an audit tells. */
import type { DecidingRule } from "@kattegat/config/residency.ts";
import type { Site } from "@kattegat/config/network.ts";
import type { Finding, FindingKind, Shelf } from "./compare.ts";

/** What one site had, and what of it is wrong. */
export interface SiteReport {
  readonly site: string;
  readonly kind: Site["kind"];
  readonly country: string | null;
  readonly zone: string | null;
  /** Null for a site that told everything; else why it was not asked, or what it answered. */
  readonly unseen: string | null;
  /** Until it had told everything; null for a site that did not. */
  readonly took_ms: number | null;
  readonly shelves: readonly Shelf[];
  readonly classes: readonly ClassReport[];
  /** Copies that rest there but are found by no search: their bytes leave with the next merge. */
  readonly hidden: number;
  /** Copies that are on their way there, or away. */
  readonly pending: number;
  readonly findings: Readonly<Record<FindingKind, number>>;
  /** Of a bucket. */
  readonly objects: {
    readonly count: number;
    readonly bytes: number;
    /** Those of an archive that were read and authenticated; null where their names alone were asked. */
    readonly opened: number | null;
    readonly stray: readonly string[];
  } | null;
}

export interface ClassReport {
  readonly class: string;
  readonly copies: number;
  /** Whether the class may rest at the site, and the rules that say so. */
  readonly allowed: boolean;
  readonly rules: readonly DecidingRule[];
}

export interface RepairReport {
  readonly documents: number;
  readonly objects: number;
  /** Of the last change that heals. */
  readonly sequence: string | null;
  /** Findings that no change of the log can heal. */
  readonly impossible: number;
  /** Sites that had not come so far when the audit was made again. */
  readonly waitingFor: readonly string[];
}

export interface AuditReport {
  readonly format: "kattegat-audit/1";
  readonly asked: string;
  readonly started_at: string;
  readonly finished_at: string;
  readonly network_file: string;
  readonly policy: string;
  /** The primary's own, when it differs. */
  readonly policy_of_primary: string | null;
  readonly log: { readonly epoch: number; readonly sequence: string };
  readonly ledger: { readonly checkpoint: string; readonly verifier_key: string } | null;
  readonly documents: number;
  readonly sites: readonly SiteReport[];
  readonly counts: Readonly<Record<FindingKind, number>>;
  readonly stray_objects: number;
  readonly pending: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  readonly findings_left_out: number;
  readonly repair: RepairReport | null;
  readonly cannot_see: readonly string[];
}

/** Whether everything that was to be seen was, and was right. */
export function isClean({ counts, stray_objects, sites }: AuditReport): boolean {
  const findings = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return findings === 0 && stray_objects === 0 && !sites.some(isMissed);
}

/** A site that runs, and did not tell what it holds. */
export function isMissed({ unseen }: SiteReport): boolean {
  return unseen !== null && unseen !== NOT_RUNNING && unseen !== NOT_ASKED;
}

export const NOT_RUNNING = "declared only: it does not run";
export const NOT_ASKED = "left out of this audit";

export function cannotSee(sites: readonly Pick<SiteReport, "objects">[]): readonly string[] {
  const isArchiveRead = sites.some(({ objects }) => objects !== null && objects.opened !== null);
  return [
    ...CANNOT_SEE,
    isArchiveRead
      ? "An archive's former versions, and what came to it after the list was begun: only the newest object of each name was opened."
      : "An archive's objects: their names are read, not their contents, which are sealed; with --read-archive each is opened.",
  ];
}

/** What rests where no question of an audit reaches, by rule. */
const CANNOT_SEE: readonly string[] = [
  "Bytes: each site's own process tells what its store answers. Whoever controls a machine can have it tell something else.",
  "Contents: ids, versions, classes and noted digests are compared, not texts and vectors. A passage whose text was altered in a store, under its right version, is not found.",
  "Caches of the edges: a list of results rests in a Cloudflare location for 300 s at most, named by a digest of the generation it was made from, so none is answered after the generation has changed. Only zones where each of its classes may be cached keep one.",
  "Generations before this one: their objects are on the list of garbage and are deleted after a minute at the earliest; an object that is on it is not read.",
  "Deleted bytes: what Postgres, Qdrant and the primary's base no longer answer may rest in their files until they are rewritten; in Postgres it is sealed under keys that were destroyed (docs/residency.md, docs/ledger.md).",
  "Copies of a model that is being prepared at the primary itself, and Qdrant collections of other names than Kattegat's.",
  "Backups, the providers' own replicas, logs: the network file declares them, and `config check` judges them; no process asks them.",
];
