/** Compares what the sites hold of a document with policy, the primary's record, the ledger. */
import { compareFences, compareSequences, sequenceSchema, type Fence } from "@kattegat/protocol/sequence.ts";
import type { RecordLine } from "@kattegat/protocol/holdings.ts";
import type { DocumentRows, HeldCopy } from "./row.ts";

export const FINDING_KINDS = [
  "leak",
  "orphan",
  "missing",
  "stale",
  "divergent",
  "unrecorded",
  "recorded only",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly kind: FindingKind;
  readonly site: string;
  /** Null where the ledger is at fault. */
  readonly store: string | null;
  /** Null when only the ledger names the document, which knows no ids. */
  readonly document_id: string | null;
  readonly document_sha256: string;
  readonly class: string | null;
  /** What the copy at fault says of itself; null where it is not one copy that is at fault. */
  readonly copy: {
    readonly version: string;
    readonly epoch: number | null;
    readonly digest: string | null;
  } | null;
  readonly detail: string;
}

/** A place where a document has one searchable copy at most: a collection, a zone's generation, the primary's index. */
export interface Shelf {
  readonly site: string;
  readonly store: string;
  /** `next`: of a model that is being prepared; `former`: of one that no site searches any more. */
  readonly role: "serving" | "next" | "former";
  readonly epoch: number;
  /** Everything up to it is here. */
  readonly sequence: string;
  /** Whether all copies are here that its sequence promises. */
  readonly isWhole: boolean;
}

export interface View {
  readonly shelves: readonly Shelf[];
  /** The site whose record is the system's. */
  readonly primary: string;
  /** Of the log before the record was read. */
  readonly head: Fence;
  mayHold(className: string, site: string): boolean;
  /** Sites to which the log is to bring a copy. */
  planned(record: RecordLine): readonly string[];
  /** Whether the site keeps documents that have nothing to search, too. */
  isArchive(site: string): boolean;
  /** How far the ledger has recorded which of each site's copies are gone. */
  readonly confirmed: ReadonlyMap<string, string>;
  /** While a change of the policy is carried out, documents still are where the former one planned them. */
  readonly isReplanning: boolean;
}

export interface Judgement {
  readonly findings: readonly Finding[];
  /** Sites at which something about the document is on its way. */
  readonly pending: readonly string[];
}

type Copy = HeldCopy;
type Verdict = { readonly kind: FindingKind; readonly detail: string } | "pending";

/** The last change about a document that the audit knows of; null when there is none. */
export function lastSequenceOf({ record, gone }: DocumentRows): string | null {
  return record?.sequence ?? gone;
}

export function judge(rows: DocumentRows, view: View): Judgement {
  const { record, id } = rows;
  const planned =
    record === null ? [] : view.planned(record).filter((site) => record.passages > 0 || view.isArchive(site));
  const isMovingByPolicy =
    view.isReplanning &&
    record !== null &&
    (planned.length !== record.held.length || planned.some((site) => !record.held.includes(site)));
  const findings: Finding[] = [];
  const pending: string[] = [];
  const take = (
    { site, store }: { readonly site: string; readonly store: string | null },
    { verdict, className, copy }: Judged,
  ): void => {
    // A copy that policy forbids is no less forbidden for a plan that is being carried out.
    if (verdict === "pending" || (isMovingByPolicy && verdict.kind !== "leak")) pending.push(site);
    else
      findings.push({
        ...verdict,
        site,
        store,
        document_id: id,
        document_sha256: rows.document,
        class: className,
        copy: copy && { version: copy.version, epoch: copy.epoch, digest: copy.digest },
      });
  };
  for (const shelf of view.shelves) {
    const copies = joined(
      rows.copies.filter((copy) => copy.site === shelf.site && copy.store === shelf.store),
    );
    const isPlanned = planned.includes(shelf.site);
    for (const judged of judgeShelf(copies, { shelf, rows, isPlanned, view })) take(shelf, judged);
  }
  const settled = new Set([...pending, ...findings.map(({ site }) => site)]);
  for (const { site, verdict } of judgeLedger(rows, { planned, settled, view }))
    take({ site, store: null }, { verdict, className: record?.class ?? null, copy: null });
  return { findings, pending };
}

interface Judged {
  readonly verdict: Verdict;
  readonly className: string | null;
  readonly copy: Copy | null;
}

interface Question {
  readonly shelf: Shelf;
  readonly rows: DocumentRows;
  readonly isPlanned: boolean;
  readonly view: View;
}

function judgeShelf(copies: readonly Copy[], question: Question): readonly Judged[] {
  const { shelf, rows, isPlanned } = question;
  const { record } = rows;
  const judged: Judged[] = [];
  const wanted: Copy[] = [];
  for (const copy of copies) {
    const verdict = judgePlace(copy, question);
    if (verdict !== null) judged.push({ verdict, className: copy.class, copy });
    else if (!copy.hidden) wanted.push(copy);
  }
  if (!isPlanned || record === null || shelf.role === "former") return judged;
  if (shelf.role === "next" && !shelf.isWhole) return judged;
  const verdict = judgeContent(wanted, record);
  if (verdict !== null) {
    const isOnItsWay = isBehind(shelf, record.carried) || shelf.epoch < record.epoch;
    // What stands in a wrong place or form is told of above; that the right one is missing as well is another finding.
    judged.push({ verdict: isOnItsWay ? "pending" : verdict, className: record.class, copy: null });
  }
  return judged;
}

/** Whether the copy may be where it is, whatever it says; null when it may. */
function judgePlace(copy: Copy, { shelf, rows, isPlanned, view }: Question): Verdict | null {
  const { record, gone } = rows;
  const isBehindLast = isBehind(shelf, record?.sequence ?? gone ?? "0");
  const hidden = copy.hidden ? ", hidden" : "";
  if (!view.mayHold(copy.class, shelf.site))
    return { kind: "leak", detail: `a copy of class ${shown(copy.class)}${hidden}, which may not be here` };
  if (record !== null && record.class !== copy.class && !view.mayHold(record.class, shelf.site)) {
    if (isBehindLast) return "pending";
    return {
      kind: "leak",
      detail: `a copy from when the class was ${copy.class}${hidden}; now it is ${record.class}, which may not be here`,
    };
  }
  if (copy.hidden) return null;
  if (record === null) {
    if (gone === null && isNamelessSince(copy, { rows, view })) return "pending";
    if (gone === null) return { kind: "orphan", detail: "the primary never had a document of this id" };
    return isBehindLast
      ? "pending"
      : { kind: "orphan", detail: `the document was deleted by change ${gone}` };
  }
  if (shelf.role === "former" || isPlanned) return null;
  if (isBehindLast) return "pending";
  return {
    kind: "orphan",
    detail: `nobody planned a copy here; it is planned at ${record.held.join(", ") || "no site"}`,
  };
}

/**
 * Whether the copy may be of a document that came after the record was read: where nothing tells an id, the primary cannot be asked
 * what has changed since.
 */
function isNamelessSince({ version, epoch }: Copy, { rows, view }: Pick<Question, "rows" | "view">): boolean {
  if (rows.id !== null || epoch === null || !sequenceSchema.safeParse(version).success) return false;
  return compareFences({ epoch, sequence: version }, view.head) > 0;
}

/** What is wrong with the copies in their right place; null when they are one whole, right copy. */
function judgeContent(copies: readonly Copy[], record: RecordLine): Exclude<Verdict, "pending"> | null {
  if (copies.length === 0) return { kind: "missing", detail: `no copy of version ${record.version}` };
  for (const copy of copies) {
    const { version, epoch, digest } = copy;
    const isSequence = /^\d+$/.test(version);
    if (
      isSequence &&
      (compareSequences(version, record.version) < 0 || (epoch ?? record.epoch) < record.epoch)
    )
      return {
        kind: "stale",
        detail: `version ${version} of epoch ${epoch ?? record.epoch}, not ${record.version} of ${record.epoch}`,
      };
    if (version !== record.version)
      return { kind: "divergent", detail: `version ${shown(version)}, which the primary does not have` };
    if (copy.class !== record.class)
      return {
        kind: "divergent",
        detail: `version ${version} with class ${copy.class}, not ${record.class}`,
      };
    if (digest !== null && digest !== record.digest)
      return { kind: "divergent", detail: `version ${version} with another content` };
    if (copy.damage !== null)
      return { kind: "divergent", detail: `version ${version}, an object ${copy.damage}` };
  }
  const counts = copies.map(({ passages }) => passages);
  if (counts.includes(null)) return null;
  const passages = counts.reduce((sum: number, count) => sum + (count ?? 0), 0);
  if (passages < record.passages)
    return { kind: "missing", detail: `${passages} of ${record.passages} passages` };
  return passages > record.passages
    ? { kind: "orphan", detail: `${passages} passages, of which the document has ${record.passages}` }
    : null;
}

/** What the ledger says of sites where everything else is as it should be. */
function judgeLedger(
  { record, gone, recorded, copies }: DocumentRows,
  {
    planned,
    settled,
    view,
  }: { readonly planned: readonly string[]; readonly settled: ReadonlySet<string>; readonly view: View },
): readonly { readonly site: string; readonly verdict: Verdict }[] {
  const known = new Set(recorded?.map(({ site }) => site));
  const sites = new Set(view.shelves.map(({ site }) => site));
  return [...sites].flatMap((site): readonly { readonly site: string; readonly verdict: Verdict }[] => {
    if (settled.has(site)) return [];
    const isHere =
      site === view.primary ? record !== null : copies.some((copy) => copy.site === site && !copy.hidden);
    if (isHere && !known.has(site))
      return [{ site, verdict: { kind: "unrecorded", detail: "the ledger records no copy here" } }];
    // At the primary a deleted document is recorded until its key is destroyed, which its receipt tells.
    if (isHere || !known.has(site) || planned.includes(site) || site === view.primary) return [];
    const last = record?.sequence ?? gone ?? "0";
    const isTakenIn = compareSequences(view.confirmed.get(site) ?? "0", last) >= 0;
    const detail = "the ledger records a copy; there is none";
    return [{ site, verdict: isTakenIn ? { kind: "recorded only", detail } : "pending" }];
  });
}

function isBehind({ sequence }: Shelf, last: string): boolean {
  return compareSequences(sequence, last) < 0;
}

/** Parts of a copy come in several lines. */
function joined(copies: readonly Copy[]): readonly Copy[] {
  const byKey = new Map<string, Copy>();
  for (const copy of copies) {
    // A store that does not count has whole copies.
    const whole = copy.passages === null ? [copy.digest, copy.epoch] : null;
    const key = JSON.stringify([copy.version, copy.class, copy.hidden, whole]);
    const before = byKey.get(key);
    const isCounted = copy.passages !== null && before?.passages !== null;
    byKey.set(key, {
      ...copy,
      epoch: before?.epoch ?? copy.epoch,
      digest: before?.digest ?? copy.digest,
      passages: isCounted ? (before?.passages ?? 0) + (copy.passages ?? 0) : null,
    });
  }
  return [...byKey.values()];
}

/** A point may say anything, and findings are read by people. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
