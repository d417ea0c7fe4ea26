/** A search of an open base, in the words of the cold tier. */
import type { BaseAnswer, BaseEntry, DeadDocuments } from "@kattegat/engine/cold/base/base-index.ts";
import { baseFilterOf } from "@kattegat/engine/cold/cold-filter.ts";
import type { BaseHit } from "@kattegat/engine/cold/base/parts.ts";
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import type { OpenBase } from "./base-shelf.ts";
import type { ColdCandidate, ColdPlace } from "./cold-candidates.ts";
import type { ColdFinding, ColdQuery } from "./cold-query.ts";
import type { ReadUsage, SessionOptions } from "./piece-reader.ts";

export async function searchOpenBase(
  open: OpenBase,
  query: ColdQuery,
  { dead, session }: { readonly dead: DeadDocuments; readonly session: SessionOptions },
): Promise<{
  readonly finding: ColdFinding;
  readonly contents: readonly (readonly [ColdPlace, PassageContent])[];
}> {
  const { dense, lexical, depth, page, grouped } = query;
  const filter = baseFilterOf(open.base.documents, query);
  const reading = open.session(session, [
    ...(filter === null ? [] : ["columns" as const]),
    ...(dense === null ? [] : ["codes" as const]),
    ...(lexical === null ? [] : ["postings" as const]),
    "rows",
  ]);
  const answer = await open.base.search({
    dense,
    lexical,
    filter,
    dead,
    depth,
    page,
    grouped,
    probes: null,
    read: reading.read,
    readsMax: (file) => reading.readsMax(file),
  });
  const candidateOf = (entry: BaseEntry): ColdCandidate => candidate(entry, open.key, query);
  const contents = [...answer.dense, ...answer.lexical].flatMap(({ row, hit }) =>
    hit === null ? [] : [[{ segment: open.key, bytes: 0, row }, contentOf(hit)] as const],
  );
  return {
    finding: {
      lists: {
        dense: answer.dense.map(candidateOf),
        lexical: answer.lexical.map(candidateOf),
        probed: [...answer.lists],
      },
      failed: answer.missing,
      leftOut: reading.usage().leftOut,
      reading: described(answer, reading.usage()),
    },
    contents,
  };
}

/** Undefined where a text could not be read. */
export async function readFromBase(
  open: OpenBase,
  rows: readonly number[],
  session: SessionOptions,
): Promise<readonly (PassageContent | undefined)[]> {
  const hits = await open.base.documents.hits(rows, open.session(session, ["rows"]).read);
  return hits.map((hit) => (hit === null ? undefined : contentOf(hit)));
}

/** One that has no name orders behind all that have one, and is told from every other by its number. */
function candidate(entry: BaseEntry, key: string, { classes, grouped }: ColdQuery): ColdCandidate {
  const { row, document, score, hit } = entry;
  const place = { segment: key, bytes: 0, row, document, score };
  if (hit === null)
    return {
      ...place,
      document_id: `\uffff${grouped ? document : row}`,
      ordinal: 1,
      version: "0",
      residency: classes[0] ?? "",
      named: false,
    };
  const { documentId, ordinal, version, residency } = hit;
  return { ...place, document_id: documentId, ordinal, version, residency, named: true };
}

function contentOf({ title, text, lang, metadata }: BaseHit): PassageContent {
  return { title, text, lang, metadata };
}

function described(
  { blocks, exact, expectedRecall }: Pick<BaseAnswer, "blocks" | "exact" | "expectedRecall">,
  { pieces, bytes, reads, fromMemory, fromCache }: ReadUsage,
): string {
  const expected =
    exact || expectedRecall === null
      ? ""
      : `, expected recall@10 of the nearest: ${expectedRecall.toFixed(3)}`;
  return `${blocks} lists and blocks in ${pieces} pieces: ${fromMemory} from memory, the others in ${fromCache} reads of the cache and ${reads} of the bucket, ${bytes} bytes; exact: ${exact}${expected}`;
}
