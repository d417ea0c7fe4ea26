/** An answer to a search as text for a person. */
import type { Hit, SearchResponse, TierReport } from "@kattegat/protocol/search.ts";
import type { Painter } from "./painter.ts";
import { visible } from "./visible.ts";

export function formatAnswer(
  answer: SearchResponse,
  { paint, offset }: { readonly paint: Painter; readonly offset: number },
): string {
  const hits = answer.hits.map((hit, index) => formatHit(hit, { paint, rank: offset + index + 1 }));
  const none = answer.hits.length === 0 ? ["Nothing found.", ""] : [];
  return [...hits, ...none, ...formatStatus(answer, paint)].join("\n");
}

function formatHit(hit: Hit, { paint, rank }: { readonly paint: Painter; readonly rank: number }): string {
  const indent = " ".repeat(`${rank}. `.length);
  const scores = [
    `score ${hit.score.toFixed(4)}`,
    ...(hit.dense_score === null ? [] : [`dense ${hit.dense_score.toFixed(3)}`]),
    ...(hit.lexical_score === null ? [] : [`lexical ${hit.lexical_score.toFixed(2)}`]),
  ];
  return [
    `${paint.bold(`${rank}. ${visible(hit.title)}`)}  ${paint.dim(hit.passage_id)}`,
    `${indent}${paint.cyan(`${hit.tier} · ${hit.site} · ${hit.residency}`)}  ${paint.dim(scores.join(", "))}`,
    `${indent}${highlight(hit.snippet, hit.highlights, paint).replaceAll("\n", `\n${indent}`)}`,
    ...(hit.explain === undefined ? [] : [`${indent}${paint.dim(explanationOf(hit.explain))}`]),
    "",
  ].join("\n");
}

function explanationOf({
  dense_rank,
  lexical_rank,
  arithmetic,
  model,
  matched_terms,
}: NonNullable<Hit["explain"]>): string {
  const rank = (value: number | null): string => (value === null ? "–" : `#${value}`);
  const by = model === null ? "" : ` by ${model}`;
  return `dense ${rank(dense_rank)}${by}, lexical ${rank(lexical_rank)}: ${arithmetic}; terms: ${matched_terms.join(" ") || "none"}`;
}

/** Wraps each matched word; spans are in order and do not overlap. */
export function highlight(
  text: string,
  spans: readonly (readonly [number, number])[],
  paint: Painter,
): string {
  let result = "";
  let at = 0;
  for (const [start, end] of spans) {
    if (start < at || end > text.length) continue;
    result += visible(text.slice(at, start)) + paint.bold(paint.yellow(visible(text.slice(start, end))));
    at = end;
  }
  return result + visible(text.slice(at));
}

function formatStatus(answer: SearchResponse, paint: Painter): readonly string[] {
  const parts = answer.tiers.map((report) => formatTier(report, paint));
  const head = `${answer.partial ? paint.red("partial: a site that was asked did not answer in full; ") : ""}${answer.took_ms.toFixed(0)} ms, sequence ${answer.sequence}`;
  const withheld = answer.not_served.length === 0 ? [] : [`not served here: ${answer.not_served.join(", ")}`];
  return [`${head}  ${paint.dim("|")}  ${parts.join(paint.dim(" · "))}`, ...withheld];
}

function formatTier({ tier, site, status, took_ms, cache }: TierReport, paint: Painter): string {
  const colour =
    status === "ok"
      ? paint.green
      : status === "not_asked" || status === "not_permitted"
        ? paint.dim
        : paint.red;
  const cached = cache === "hit" ? " cached" : "";
  return `${tier} ${site} ${colour(status)}${status === "ok" ? ` ${took_ms.toFixed(0)} ms${cached}` : ""}`;
}
