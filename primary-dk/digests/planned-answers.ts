/** What the primary tells of the copies that it plans at a target. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { leavesOf, rangeOf, type DigestTree } from "@kattegat/engine/digests/digest-tree.ts";
import {
  decodeKey,
  encodeDigests,
  encodeKey,
  encodeLines,
  type LinesResponse,
  type PlannedCopiesResponse,
  type PlannedCopy,
  type Ranges,
  type RangesResponse,
} from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Primary } from "../primary.ts";
import { goneIn, plannedIn } from "./read-planned.ts";

type Told = Pick<Primary, "planned" | "applied" | "database">;

interface Asked extends Ranges {
  readonly target: string;
}

/** @throws {KattegatError} `not_ready` before all documents were counted. */
export function plannedRanges({ planned, applied }: Told, { target, depth, indexes }: Asked): RangesResponse {
  const tree = treeOf(planned, target);
  if (!planned.isWhole)
    throw new KattegatError("not_ready", "The planned copies are being counted.", { retryAfterSeconds: 5 });
  return {
    position: applied.head.fence,
    documents: tree.documents,
    digests: encodeDigests(indexes.map((index) => tree.at(depth, index).sum)),
  };
}

/** Lines are read from Postgres, whatever memory has counted. */
export async function plannedLines(
  { planned, applied, database }: Told,
  { target, depth, indexes }: Asked,
): Promise<LinesResponse> {
  treeOf(planned, target);
  const position = applied.head.fence;
  const documents = await plannedIn(
    database.sql,
    indexes.map((index) => leavesOf(depth, index)),
  );
  const lines = documents.flatMap((document) => {
    const digest = planned.digestAt(target, document);
    return digest === null ? [] : [{ key: keyOf(document.id), digest }];
  });
  return { position, lines: encodeLines(lines) };
}

/** The documents of the keys, those that are planned at the target apart from the others, deleted ones among these. */
export async function plannedCopies(
  { planned, applied, database }: Told,
  asked: { readonly target: string; readonly keys: readonly string[]; readonly others: boolean },
): Promise<PlannedCopiesResponse> {
  const { target, keys } = asked;
  treeOf(planned, target);
  const position = applied.head.fence;
  const wanted = new Set(keys);
  const leaves = [...new Set(keys.map((key) => rangeOf(decodeKey(key), 16)))];
  const documents = await plannedIn(
    database.sql,
    leaves.map((leaf) => ({ from: leaf, to: leaf + 1 })),
  );
  // Afterwards, whether or not they are back: a document that is deleted or comes meanwhile is in one of the two.
  const gone = asked.others ? await goneIn(database.sql, leaves) : [];
  const copies: PlannedCopy[] = [];
  const others = new Set(gone);
  for (const document of documents) {
    const { id, version, residency, digest, passage_count: passages, sequence } = document;
    const key = encodeKey(keyOf(id));
    others.add(id);
    if (!wanted.has(key) || planned.digestAt(target, document) === null) continue;
    others.delete(id);
    copies.push({ key, document_id: id, version, class: residency, digest, passages, sequence });
  }
  if (!asked.others) return { position, copies, others: [] };
  const told = [...others].map((id) => ({ key: encodeKey(keyOf(id)), document_id: id }));
  return { position, copies, others: told.filter(({ key }) => wanted.has(key)) };
}

function treeOf(planned: Told["planned"], target: string): DigestTree {
  const tree = planned.treeOf(target);
  if (tree !== null) return tree;
  throw new KattegatError("bad_request", "Expected a target that the network file lists.", {
    errors: [{ pointer: "/target", detail: "this site is no running regional, edge or archive" }],
  });
}
