/** Whether a copy is what the log plans. */
import type { FaultKind, FoundCopy, PlannedCopy } from "@kattegat/protocol/digests.ts";
import { isStorable } from "@kattegat/protocol/storable-text.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";

const CLASS_CHARACTERS_MAX = 64;

export interface Fault {
  readonly kind: FaultKind;
  readonly document_id: string;
  readonly class: string;
  readonly detail: string;
}

export type Verdict = Fault | "pending" | "right";

/** As much of a planned copy as a verdict needs. */
export type ExpectedCopy = Pick<PlannedCopy, "version" | "class" | "digest" | "passages">;

export interface Evidence {
  readonly documentId: string;
  /** Read first. */
  readonly planned: ExpectedCopy | null;
  /** Read from the store afterwards. */
  readonly found: readonly FoundCopy[];
  /** The last change about the document, read last; null for one that the log never had. */
  readonly lastChange: string | null;
  /** The log had come so far when the plan was read, and the site before its store was. */
  readonly settledAt: string;
  mayHold(className: string): boolean;
}

/**
 * A fault is proven by three reads in this order: the plan, the store, the last change. If that change is at or below the place to
 * which the plan and the site had come, then nothing about the document changed between the reads, and the site had been told all
 * of it before its store was read.
 */
export function judge(evidence: Evidence): Verdict {
  const { planned, found, lastChange, settledAt, documentId } = evidence;
  if (lastChange !== null && compareSequences(lastChange, settledAt) > 0) return "pending";
  const [first] = found;
  const fault = (kind: FaultKind, className: string | null, detail: string): Fault => ({
    kind,
    document_id: documentId,
    class: classOf(className),
    detail,
  });
  const leaked = found.find(({ class: name }) => name !== null && !evidence.mayHold(name));
  if (leaked !== undefined)
    return fault("leak", leaked.class, `a copy of class ${shown(leaked.class)}, which may not be here`);
  if (planned === null) {
    if (first === undefined) return "right";
    const why = lastChange === null ? "the log never had this document" : "no copy is planned here";
    return fault("extra", first.class, why);
  }
  if (first === undefined) return fault("missing", planned.class, `no copy of version ${planned.version}`);
  const wrong = wrongIn(found, planned);
  return wrong === null ? "right" : fault(wrong.kind, planned.class, wrong.detail);
}

function wrongIn(
  found: readonly FoundCopy[],
  planned: ExpectedCopy,
): { readonly kind: FaultKind; readonly detail: string } | null {
  const isRight = (copy: FoundCopy): boolean =>
    copy.version === planned.version && (copy.class === planned.class || copy.class === null);
  const right = found.find(isRight);
  const other = found.find((copy) => !isRight(copy));
  if (right === undefined && other !== undefined) return otherVersion(other, planned);
  if (right === undefined) return null;
  if (other !== undefined)
    return { kind: "extra", detail: `parts of version ${shown(other.version)} beside ${planned.version}` };
  if (right.damaged > 0)
    return {
      kind: "corrupted",
      detail:
        right.passages === null && right.digest !== null
          ? "its object is not as it was stored"
          : `${right.damaged} of ${planned.passages} passages are not as they were stored`,
    };
  return wrongContent(right, planned);
}

function wrongContent(
  { passages, digest }: FoundCopy,
  planned: ExpectedCopy,
): { readonly kind: FaultKind; readonly detail: string } | null {
  // What a store does not tell is no fault: a zone lists documents alone, an archive counts no passages.
  if (passages !== null && passages < planned.passages)
    return { kind: "missing", detail: `${passages} of ${planned.passages} passages` };
  if (passages !== null && passages > planned.passages)
    return { kind: "extra", detail: `${passages} passages, of which it has ${planned.passages}` };
  return digest !== null && digest !== planned.digest
    ? { kind: "divergent", detail: `version ${planned.version} with another content` }
    : null;
}

function otherVersion(
  { version, class: className }: FoundCopy,
  planned: ExpectedCopy,
): { readonly kind: FaultKind; readonly detail: string } {
  if (version === planned.version)
    return {
      kind: "divergent",
      detail: `version ${version} with class ${shown(className)}, not ${planned.class}`,
    };
  const isOlder = /^\d{1,19}$/.test(version) && compareSequences(version, planned.version) < 0;
  return {
    kind: isOlder ? "stale" : "divergent",
    detail: `version ${shown(version)}, not ${planned.version}`,
  };
}

/** A store may say what no log can keep. */
function classOf(told: string | null): string {
  const name = told?.slice(0, CLASS_CHARACTERS_MAX) ?? "unknown";
  return isStorable(name) ? name : "unknown";
}

/** A store may say anything, and faults are read by people. */
function shown(text: string | null): string {
  return JSON.stringify(text?.slice(0, 64) ?? null);
}
