/** The change log as one target may see it. */
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import {
  BATCH_CHANGES_MAX,
  BATCH_PASSAGES_MAX,
  type DocumentRecord,
  type FeedChange,
} from "@kattegat/protocol/changes.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import type { Placements } from "../documents/placements.ts";
import { openPassage, passageText, type VectorColumn } from "../documents/passage-rows.ts";
import { sealedDocuments, tierNameOf } from "../documents/state.ts";
import {
  KEY_COLUMNS,
  openHead,
  openText,
  type DataKey,
  type DocumentSeals,
} from "../sealing/document-seals.ts";
import type { RecentPuts } from "./recent-puts.ts";
import { actionOf, reasonOf, type Action, type LoggedChange } from "./action.ts";
import { readSealedRecords } from "./sealed-records.ts";

/** Rows of the log that one page may pass over: what says nothing to the target is read, not sent. */
const SCANNED_CHANGES_MAX = 4_096;
/** Texts and vectors of one page: a page is held in memory here, then again at the reader. */
const PAGE_BYTES_MAX = 8 * 1_024 * 1_024;
/** A dense vector, a sparse one, the text of a typical passage, as they rest; no row tells which of what is sealed has a vector. */
const PASSAGE_BYTES = 3_000;

export interface FeedRequest {
  readonly target: string;
  readonly after: string;
  /** The feed never runs ahead of the index of this site, which a move into its tiers relies on. */
  readonly upTo: string;
  readonly limit: number;
  /** The column of the model whose copies the target keeps. */
  readonly vectors: VectorColumn;
  /** The model that serves, for a target that takes documents sealed; null for one that takes them open. */
  readonly sealedFor: string | null;
}

export interface FeedParts {
  readonly placements: Placements;
  readonly seals: DocumentSeals;
  readonly recentPuts: RecentPuts;
}

/**
 * Resolves with the next changes in order as JSON, at most `limit`, fewer when they are large. A skip stands only where nothing follows
 * it: the sequence of the next change passes it, too.
 */
export function readFeed(
  sql: postgres.Sql,
  request: FeedRequest,
  { placements, seals, recentPuts }: FeedParts,
): Promise<readonly string[]> {
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    const rows = await tx`
      select c.sequence, c.epoch, c.document_id, c.kind, c.residency, c.residency_before, c.held_before, c.held_after, c.committed_at,
        d.residency as now_residency, d.tier as now_tier, d.moving_from as now_moving_from, d.passage_count, d.characters
      from changes c left join documents d on d.id = c.document_id and d.carried = c.sequence
      where c.sequence > ${request.after} and c.sequence <= ${request.upTo}
      order by c.sequence limit ${SCANNED_CHANGES_MAX}`;
    const { sealedFor } = request;
    const page = boundedPage(rows.map(loggedOf), { ...request, placements });
    const puts = page.flatMap(({ change, action }) => (action === "put" ? [change] : []));
    const keyOf = ({ epoch, sequence }: Fence): string => `${request.vectors} ${epoch} ${sequence}`;
    if (sealedFor !== null) {
      const ids = puts.map(({ document_id: id }) => id);
      const records = await readSealedRecords(tx, ids, { seals, model: sealedFor });
      return page.map(({ change, action }) =>
        JSON.stringify(
          changeOf(change, action, {
            sealed: records.get(change.document_id),
            replaces: change.held_before.includes(request.target),
          }),
        ),
      );
    }
    // Taken out first: what is asked for meanwhile may push them out.
    const lines = new Map(puts.map((change) => [change.sequence, recentPuts.get(keyOf(change))]));
    const wanted = puts.filter(({ sequence }) => lines.get(sequence) === undefined);
    const ids = wanted.map(({ document_id: id }) => id);
    const records = await readRecords(tx, ids, { vectors: request.vectors, seals });
    return page.map(({ change, action }) => {
      const known = lines.get(change.sequence);
      if (known !== undefined) return known;
      const line = JSON.stringify(changeOf(change, action, { document: records.get(change.document_id) }));
      if (action === "put") recentPuts.set(keyOf(change), line);
      return line;
    });
  });
}

interface Page {
  readonly change: LoggedChange;
  readonly action: Action;
}

function boundedPage(
  changes: readonly LoggedChange[],
  options: Pick<FeedRequest, "target" | "limit"> & { readonly placements: Placements },
): Page[] {
  const limit = Math.min(options.limit, BATCH_CHANGES_MAX);
  const page: Page[] = [];
  let passages = 0;
  let bytes = 0;
  for (const change of changes) {
    const action = actionOf(change, options);
    if (page.at(-1)?.action === "skip") page.pop();
    else if (page.length === limit) break;
    if (action === "put") {
      passages += change.current?.passages ?? 0;
      bytes += (change.current?.characters ?? 0) + (change.current?.passages ?? 0) * PASSAGE_BYTES;
      if (page.length > 0 && (passages > BATCH_PASSAGES_MAX || bytes > PAGE_BYTES_MAX)) break;
    }
    page.push({ change, action });
  }
  return page;
}

function loggedOf(row: postgres.Row): LoggedChange {
  const {
    sequence,
    epoch,
    document_id,
    kind,
    residency,
    residency_before,
    held_before,
    held_after,
    committed_at,
  } = row;
  const current =
    row["now_tier"] === null
      ? null
      : {
          residency: row["now_residency"],
          tier: tierNameOf(row["now_tier"]),
          moving_from: row["now_moving_from"] === null ? null : tierNameOf(row["now_moving_from"]),
          passages: row["passage_count"],
          characters: row["characters"],
        };
  return {
    sequence,
    epoch,
    document_id,
    kind,
    residency,
    residency_before,
    held_before,
    held_after,
    committed_at,
    current,
  };
}

/** What a put carries, in one of its two forms. */
interface Carried {
  readonly document?: DocumentRecord | undefined;
  readonly sealed?: SealedRecord | undefined;
  readonly replaces?: boolean;
}

function changeOf(
  change: LoggedChange,
  action: Action,
  { document, sealed, replaces = true }: Carried,
): FeedChange {
  const { epoch, sequence, document_id } = change;
  const base = { epoch, sequence, committed_at: change.committed_at.toISOString() };
  if (action === "skip") return { kind: "skip", ...base };
  if (action === "withdraw") return { kind: "withdraw", ...base, document_id, reason: reasonOf(change) };
  if (sealed !== undefined) return { kind: "put-sealed", ...base, document_id, replaces, sealed };
  if (document === undefined) throw new RangeError("a document of one snapshot has no row in it");
  return { kind: "put", ...base, document_id, document };
}

async function readRecords(
  tx: postgres.TransactionSql,
  ids: readonly string[],
  { vectors, seals }: { readonly vectors: VectorColumn; readonly seals: DocumentSeals },
): Promise<Map<string, DocumentRecord>> {
  const records = new Map<string, DocumentRecord>();
  if (ids.length === 0) return records;
  const documents = await tx`
      select d.id, d.version, d.collection, d.head, d.body, d.lang, d.residency, d.tier, d.digest, d.published_at, ${tx(KEY_COLUMNS)}
      from ${sealedDocuments(tx)} where d.id = any(${[...ids]})`;
  const open = new Map<string, { readonly key: DataKey; readonly text: string }>();
  for (const row of documents) {
    const { id, version, collection, lang, residency, digest, published_at } = row;
    const key = seals.keyOf(row);
    const { title, metadata } = openHead(key, row["head"]);
    open.set(id, { key, text: openText(key, "body", row["body"]) });
    records.set(id, {
      id,
      version,
      collection,
      title,
      lang,
      residency,
      tier: tierNameOf(row["tier"]),
      metadata,
      digest,
      published_at,
      passages: [],
    });
  }
  const rows = await tx`
      select document_id, ordinal, start_offset, end_offset, own_text, ${tx(vectors)} as dense, sparse
      from passages where document_id = any(${[...ids]}) order by document_id, ordinal`;
  for (const row of rows) {
    const document = open.get(row["document_id"]);
    if (document === undefined) continue;
    const { ordinal, dense, sparse } = openPassage(row, document.key);
    records.get(row["document_id"])?.passages.push({
      ordinal,
      text: passageText(row, document),
      dense: encodeFloats(dense),
      sparse: { indices: encodeIntegers(sparse.indices), values: encodeFloats(sparse.values) },
    });
  }
  return records;
}
