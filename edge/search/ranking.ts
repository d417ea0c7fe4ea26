/** The page of hits made of what the sites brought. */
import { fuse, type FusedHit } from "@kattegat/protocol/fuse.ts";
import type { Fusion } from "@kattegat/protocol/fusion.ts";
import { candidateDepth, type Hit, type SearchRequest } from "@kattegat/protocol/search.ts";
import { fetchContents, type Contents, type ContentSources } from "./contents.ts";
import { hitOf } from "./hit.ts";
import { passageKey, type Outcome } from "./outcome.ts";
import type { PreparedQuery } from "./query.ts";

/** Passages vanish between search and reading only while documents are replaced; more rounds would chase a storm. */
const ROUNDS_MAX = 3;

export interface Page {
  readonly hits: readonly Hit[];
  /** Sites whose texts could not be read, so that their hits are missing. */
  readonly silent: ReadonlySet<string>;
}

export async function rankPage(
  outcomes: readonly Outcome[],
  {
    request,
    query,
    model,
    fusion,
  }: {
    readonly request: SearchRequest;
    readonly query: PreparedQuery;
    readonly model: string;
    readonly fusion: Fusion;
  },
  sources: () => ContentSources,
): Promise<Page> {
  const dense = query.dense === null ? null : outcomes.flatMap((outcome) => outcome.dense);
  const lexical = query.lexical === null ? null : outcomes.flatMap((outcome) => outcome.lexical);
  const fused = fuse(
    { dense, lexical },
    { groupBy: request.group_by, depth: candidateDepth(request), fusion },
  );
  const places = new Map(outcomes.flatMap((outcome) => [...outcome.places]));
  const contents: Contents = { known: new Map(), silent: new Set() };
  for (const candidate of [...(dense ?? []), ...(lexical ?? [])]) {
    if (candidate.content !== undefined) contents.known.set(passageKey(candidate), candidate.content);
  }
  const end = request.offset + request.limit;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const shown = fused.filter((hit) => isShowable(hit, contents)).slice(0, end);
    // Hits before the page are not read: one that is gone moves the next page by one, as any delete does.
    const unread = shown.slice(request.offset).filter((hit) => !contents.known.has(passageKey(hit.passage)));
    if (unread.length === 0) break;
    await fetchContents(
      contents,
      unread.map((hit) => hit.passage),
      places,
      sources(),
    );
  }
  const options = {
    terms: query.terms,
    isHybrid: dense !== null && lexical !== null,
    model: dense === null ? null : model,
    explain: request.explain,
    fusion,
  };
  const hits = fused
    .filter((hit) => isShowable(hit, contents))
    .slice(request.offset, end)
    .flatMap((hit) => {
      const content = contents.known.get(passageKey(hit.passage));
      return content === undefined || content === null ? [] : [hitOf(hit, content, options)];
    });
  return { hits, silent: contents.silent };
}

function isShowable(hit: FusedHit, contents: Contents): boolean {
  const content = contents.known.get(passageKey(hit.passage));
  return content !== null && !(content === undefined && contents.silent.has(hit.passage.site));
}
