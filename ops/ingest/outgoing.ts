/** The documents that an ingest sends, made of a source's records. */
import { hash32 } from "@kattegat/engine/text/hash.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { mapRecord } from "./evaluate.ts";
import type { Mapping } from "./mapping.ts";
import type { Source, SourceItem } from "./record.ts";
import type { OutgoingDocument, RefusedLine } from "./sender.ts";

export interface OutgoingOptions {
  readonly source: Source;
  readonly mapping: Mapping | null;
  /** Fields for documents that are silent about them. */
  readonly defaults: Readonly<Record<string, string | number>>;
  readonly documentsMax: number;
  readonly passagesMax: number;
  readonly checkpoint: Pick<Checkpoint, "resumedAfter" | "open">;
  readonly refused: (line: RefusedLine) => void;
  readonly reading: (position: number | null) => void;
}

/** Yields documents in the order of the source, as many as the limits allow, without those of an earlier run. */
export async function* outgoingDocuments(
  options: OutgoingOptions,
): AsyncGenerator<OutgoingDocument, void, undefined> {
  const { source, checkpoint, documentsMax, passagesMax, refused, reading } = options;
  const ids = new Map<string, number>();
  let documents = 0;
  let passages = 0;
  for await (const item of source.items()) {
    if (documents >= documentsMax || passages >= passagesMax) return;
    reading(Math.max(item.position ?? 0, documents / documentsMax, passages / passagesMax) || item.position);
    const made = documentOf(item, options, ids);
    documents += 1;
    passages += "document" in made ? made.document.passages : 0;
    if (item.line <= checkpoint.resumedAfter) continue;
    checkpoint.open(item.line);
    if ("document" in made) yield made.document;
    else refused(made.refused);
  }
}

function documentOf(
  item: SourceItem,
  { mapping, defaults }: OutgoingOptions,
  ids: Map<string, number>,
): { readonly document: OutgoingDocument } | { readonly refused: RefusedLine } {
  const { line } = item;
  if (item.kind === "bad") return { refused: { line, id: item.id, code: item.code, detail: item.detail } };
  if (typeof item.record !== "object" || item.record === null || Array.isArray(item.record)) {
    return { refused: { line, id: null, code: "bad_request", detail: "expected a JSON object" } };
  }
  const mapped = mapping === null ? null : mapRecord(mapping, item.record);
  const document: Record<string, unknown> = {
    ...defaults,
    ...(mapped === null ? item.record : mapped.document),
  };
  const id = typeof document["id"] === "string" ? document["id"] : null;
  if (id !== null && mapped !== null && mapped.sourceId !== null) {
    // The hash stands for the id in the source, which may be long; 1 in 4 billion goes unseen.
    const hash = hash32(mapped.sourceId);
    if ((ids.get(id) ?? hash) !== hash) {
      return {
        refused: {
          line,
          id,
          code: "bad_request",
          detail: `the id ${JSON.stringify(mapped.sourceId)} becomes ${id}, which another id of this source became before`,
        },
      };
    }
    ids.set(id, hash);
  }
  const given = document["passages"];
  return {
    document: {
      line,
      id: id ?? `line ${line}`,
      passages: Array.isArray(given) ? given.length : 1,
      json: JSON.stringify(document),
    },
  };
}
