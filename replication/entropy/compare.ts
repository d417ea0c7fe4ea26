/** One round of comparing a site's copies with what is planned there. */
import { hashedId, keyDigitsOf } from "@kattegat/engine/digests/hashed-id.ts";
import { childrenOf, leafDepth } from "@kattegat/engine/digests/digest-tree.ts";
import {
  DEPTHS,
  LEAVES_MAX,
  encodeKey,
  type Depth,
  type FoundCopy,
  type PlannedCopiesResponse,
} from "@kattegat/protocol/digests.ts";
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import { earlierSequence } from "@kattegat/protocol/sequence.ts";

import { judge, type Fault } from "@kattegat/engine/digests/judge.ts";
import type { ReadWindow } from "./read-window.ts";
import type { HashedCopy, HeldSource, PlannedSource } from "./source.ts";

export interface Compared {
  /** Whether each copy that differs was looked at. */
  readonly isComplete: boolean;
  /** Keys of the documents that were. */
  readonly looked: readonly string[];
  readonly faults: readonly Fault[];
  /** Documents whose difference a write explains. */
  readonly pending: number;
}

export interface CompareOptions {
  readonly planned: PlannedSource;
  readonly held: HeldSource;
  mayHold(className: string): boolean;
  /** Keys of documents whose copies looked damaged, whatever their digests say. */
  readonly suspects: readonly string[];
  /** Rounds before, those that failed too: where more ranges differ than one looks into, the next looks elsewhere. */
  readonly turn: number;
  readonly window: ReadWindow;
}

/** Asks for the parts of ranges that differ alone, so that equal copies cost one digest each side. */
export async function compareSite(options: CompareOptions, signal: AbortSignal): Promise<Compared> {
  const leaves = await differingLeaves(options, signal);
  const differing = leaves === null ? [] : await differingKeys(leaves, options, signal);
  const keys = [...new Set([...options.suspects, ...differing])];
  const isAll = leaves?.isComplete ?? true;
  const { window } = options;
  const looked = window.take(keys, { isAll });
  if (looked.length === 0) return { isComplete: isAll, looked, faults: [], pending: 0 };
  const proven = await prove(looked, options, signal).catch((error: unknown) => {
    window.failed();
    throw error;
  });
  window.read();
  return { ...proven, looked, isComplete: isAll && looked.length === keys.length };
}

async function differingKeys(
  { depth, indexes }: Leaves,
  { planned, held }: CompareOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  // The site first: what it has not been told yet when it answers is in the log when the primary does.
  const there = await held.lines({ depth, indexes }, signal);
  const here = await planned.lines({ depth, indexes }, signal);
  return [...new Set([...there.keys(), ...here.keys()])]
    .filter((key) => there.get(key) !== here.get(key))
    .map(encodeKey);
}

interface Leaves {
  readonly depth: Depth;
  readonly indexes: readonly number[];
  readonly isComplete: boolean;
}

async function differingLeaves(
  { planned, held, turn }: CompareOptions,
  signal: AbortSignal,
): Promise<Leaves | null> {
  let indexes: readonly number[] = [0];
  let isComplete = true;
  let leaf: Depth = 0;
  for (const depth of DEPTHS) {
    if (depth > leaf) break;
    const there = await held.ranges({ depth, indexes }, signal);
    const here = await planned.ranges({ depth, indexes }, signal);
    const differing = indexes.filter((_, at) => there.digests[at] !== here.digests[at]);
    if (differing.length === 0) return null;
    if (depth === 0) leaf = leafDepth(Math.max(there.documents, here.documents));
    const looked = windowOf(differing, { most: LEAVES_MAX, turn });
    isComplete &&= looked.length === differing.length;
    indexes = depth < leaf ? childrenOf(looked) : looked;
  }
  return { depth: leaf, indexes, isComplete };
}

/** At most so many, from another place each turn. */
function windowOf<T>(
  all: readonly T[],
  { most, turn }: { readonly most: number; readonly turn: number },
): T[] {
  if (all.length <= most) return [...all];
  const from = (turn * most) % all.length;
  return [...all.slice(from), ...all.slice(0, from)].slice(0, most);
}

/** Reads plan, store, last changes, in this order, which is what makes a difference a fault. */
async function prove(
  keys: readonly string[],
  { planned, held, mayHold }: CompareOptions,
  signal: AbortSignal,
): Promise<Pick<Compared, "faults" | "pending">> {
  const plan = await planned.copies(keys, signal);
  const there = await held.copies({ keys, documents: plan.copies.map(({ document_id: id }) => id) }, signal);
  const copies = [...there.copies, ...(await named(there.hashed, { plan, planned }, signal))];
  const found = Map.groupBy(copies, ({ document_id: id }) => id);
  const wanted = new Map(plan.copies.map((copy) => [copy.document_id, copy]));
  const documents = [...new Set([...wanted.keys(), ...found.keys()])];
  // The log never had another: it is asked for none that it could not name.
  const known = documents.filter((id) => documentIdSchema.safeParse(id).success);
  const changes = known.length === 0 ? [] : await planned.lastChanges(known, signal);
  const last = new Map(changes.map(({ document_id: id, sequence }) => [id, sequence]));
  // Sequences of two reigns say nothing of each other.
  if (plan.position.epoch !== there.position.epoch) return { faults: [], pending: documents.length };
  const settledAt = earlierSequence(plan.position.sequence, there.position.sequence);
  const verdicts = documents.map((documentId) =>
    judge({
      documentId,
      planned: wanted.get(documentId) ?? null,
      found: found.get(documentId) ?? ([] satisfies FoundCopy[]),
      lastChange: last.get(documentId) ?? null,
      settledAt,
      mayHold,
    }),
  );
  return {
    faults: verdicts.filter((verdict): verdict is Fault => typeof verdict === "object"),
    pending: verdicts.filter((verdict) => verdict === "pending").length,
  };
}

/**
 * Copies under the ids that the log has for their hashes, deleted documents' too. Those that are not planned are asked for after the
 * store was read: a document that came meanwhile has its id by then, and a last change that explains it.
 */
async function named(
  hashed: readonly HashedCopy[],
  { plan, planned }: { readonly plan: PlannedCopiesResponse; readonly planned: PlannedSource },
  signal: AbortSignal,
): Promise<readonly FoundCopy[]> {
  const ids = new Map(plan.copies.map(({ document_id: id }) => [hashedId(id), id]));
  const keys = hashed.flatMap(({ document_sha256: document }) =>
    ids.has(document) ? [] : [keyDigitsOf(document)],
  );
  if (keys.length > 0) {
    for (const id of await planned.names([...new Set(keys)], signal)) ids.set(hashedId(id), id);
  }
  return hashed.map(({ document_sha256: document, ...copy }) => ({
    ...copy,
    // No id has a blank: the log is asked to do nothing about it.
    document_id: ids.get(document) ?? `(document sha256 ${document})`,
  }));
}
