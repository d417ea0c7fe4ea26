/** A hit as the caller sees it. */
import { analyze, languageOf } from "@kattegat/engine/text/analyzer.ts";
import { snippetOf } from "@kattegat/engine/text/snippet.ts";
import type { FusedHit, ListPlace } from "@kattegat/protocol/fuse.ts";
import type { Fusion } from "@kattegat/protocol/fusion.ts";
import type { Hit } from "@kattegat/protocol/search.ts";
import type { PassageContent } from "@kattegat/protocol/site-search.ts";

export interface HitOptions {
  readonly terms: ReadonlySet<string>;
  readonly isHybrid: boolean;
  /** Of the vectors that were compared; null when none were. */
  readonly model: string | null;
  readonly explain: boolean;
  readonly fusion: Fusion;
}

export function hitOf(fused: FusedHit, content: PassageContent, options: HitOptions): Hit {
  const { passage } = fused;
  const { snippet, highlights } = snippetOf(content.text, options.terms, languageOf(content.lang));
  return {
    document_id: passage.document_id,
    passage_id: `${passage.document_id}#${passage.ordinal}`,
    score: fused.score,
    dense_score: fused.denseScore,
    lexical_score: fused.lexicalScore,
    tier: passage.tier,
    site: passage.site,
    residency: passage.residency,
    version: passage.version,
    title: content.title,
    snippet,
    highlights,
    metadata: content.metadata,
    ...(options.explain ? { explain: explanationOf(fused, content, options) } : {}),
  };
}

function explanationOf(
  fused: FusedHit,
  content: PassageContent,
  options: HitOptions,
): NonNullable<Hit["explain"]> {
  const language = languageOf(content.lang);
  const tokens = [
    ...analyze(content.text, language),
    ...(language === "und" ? [] : analyze(content.text, "und")),
  ];
  return {
    dense_rank: fused.dense?.rank ?? null,
    lexical_rank: fused.lexical?.rank ?? null,
    dense_passage_id: passageIdOf(fused, fused.dense),
    lexical_passage_id: passageIdOf(fused, fused.lexical),
    arithmetic: options.isHybrid ? fusedArithmetic(fused, options.fusion) : plainArithmetic(fused),
    model: options.model,
    matched_terms: [
      ...new Set(tokens.map(({ term }) => term).filter((term) => options.terms.has(term))),
    ].toSorted(),
  };
}

function passageIdOf({ passage }: FusedHit, place: ListPlace | null): string | null {
  return place === null ? null : `${passage.document_id}#${place.ordinal}`;
}

function fusedArithmetic(fused: FusedHit, { k, denseWeight, lexicalWeight }: Fusion): string {
  const part = (place: ListPlace | null, list: string, weight: number): readonly string[] => {
    if (place === null) return [];
    const other = place.ordinal === fused.passage.ordinal ? "" : ` of #${place.ordinal}`;
    return [`${weight}/(${k}+${place.rank}) by ${list}${other}`];
  };
  const parts = [...part(fused.dense, "vector", denseWeight), ...part(fused.lexical, "words", lexicalWeight)];
  return `${parts.join(" + ")} = ${fused.score.toFixed(6)}`;
}

function plainArithmetic(fused: FusedHit): string {
  return fused.dense === null ? `BM25 = ${fused.score.toFixed(6)}` : `cosine = ${fused.score.toFixed(6)}`;
}
