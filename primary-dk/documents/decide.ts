/** Decides what an operation does to the document that it meets. */
import type { Network, TierName } from "@kattegat/config/network.ts";
import { mayHold, mayPass } from "@kattegat/config/residency.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { predictedUse, tierOf, tierScore } from "../tiering/classify.ts";
import type { DocumentContent } from "./content.ts";
import type { Effect, PreparedOperation, WriteOperation } from "./operation.ts";
import type { Placements } from "./placements.ts";
import { isSame } from "./placing.ts";
import { failedPrecondition, type Precondition } from "./precondition.ts";
import type { DocumentState } from "./state.ts";

export type Decision =
  | { readonly kind: "effect"; readonly effect: Effect }
  /** Nothing to write: the content is the same, or the primary's own plan was overtaken. */
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly error: KattegatError }
  /** The content changed since it was looked at, so its passages have to be made first. */
  | { readonly kind: "unprepared" };

export function decide(
  current: DocumentState | null,
  { operation, passages }: PreparedOperation,
  context: { readonly placements: Placements; readonly site: string; readonly nowMs: number },
): Decision {
  switch (operation.kind) {
    case "put": {
      const refusal = refusalOf(current, operation, context.placements.network);
      if (refusal !== null) return { kind: "refused", error: refusal };
      if (current !== null && current.digest === operation.content.digest) return { kind: "nothing" };
      if (passages === null) return { kind: "unprepared" };
      const after = stateOf(operation.content, current, { ...context, passageCount: passages.length });
      if (!mayHold(context.placements.network, after.residency, { id: context.site }))
        return { kind: "refused", error: noRecord(after, context.site) };
      if (context.placements.of(after.residency, after.tier).length === 0)
        return { kind: "refused", error: noLegalSite(after) };
      return {
        kind: "effect",
        effect: { kind: "put", before: current, after, content: { value: operation.content, passages } },
      };
    }
    case "delete": {
      const refusal = refusalOf(current, operation, context.placements.network);
      if (refusal !== null) return { kind: "refused", error: refusal };
      if (current === null)
        return {
          kind: "refused",
          error: new KattegatError("not_found", "There is no document with this id."),
        };
      return { kind: "effect", effect: { kind: "delete", before: current, after: null, content: null } };
    }
    case "place": {
      if (current === null || isSame(context.placements.holders(current), current.held))
        return { kind: "nothing" };
      return { kind: "effect", effect: { kind: "put", before: current, after: current, content: null } };
    }
    case "repair":
      return { kind: "effect", effect: repairOf(current, operation) };
    case "settle":
      if (current === null || current.moving_from === null || current.carried !== operation.carried)
        return { kind: "nothing" };
      return {
        kind: "effect",
        effect: { kind: "settle", before: current, after: { ...current, moving_from: null }, content: null },
      };
    case "move": {
      if (
        current === null ||
        current.moving_from !== null ||
        current.carried !== operation.carried ||
        current.pinned_tier !== null
      )
        return { kind: "nothing" };
      if (operation.tier === current.tier) return { kind: "nothing" };
      const after = moved(
        { ...current, predicted_use: operation.use, score: operation.score },
        operation.tier,
      );
      if (context.placements.of(after.residency, after.tier).length === 0) return { kind: "nothing" };
      return { kind: "effect", effect: { kind: "put", before: current, after, content: null } };
    }
    default:
      return operation satisfies never;
  }
}

function repairOf(
  current: DocumentState | null,
  { id, residency, from }: Extract<WriteOperation, { readonly kind: "repair" }>,
): Effect {
  const stray = { id, residency, held: from };
  if (current === null)
    return { kind: "delete", before: null, after: null, content: null, repaired: true, stray };
  const held = [...new Set([...current.held, ...from])];
  return { kind: "put", before: { ...current, held }, after: current, content: null, repaired: true };
}

/**
 * The state in another tier, with its copies kept where they are until the new ones are confirmed.
 *
 * A document that was still on its way keeps the sites that surely have it; moved back to those, it has arrived.
 */
export function moved(state: DocumentState, tier: TierName): DocumentState {
  if (tier === state.tier) return state;
  const origin = state.moving_from ?? state.tier;
  return { ...state, tier, moving_from: origin === tier ? null : origin };
}

/** The record of every document rests at the primary, whatever its tier. */
function noRecord({ residency }: { readonly residency: string }, site: string): KattegatError {
  return new KattegatError(
    "no_legal_site",
    `The primary ${site} may not hold documents of class ${residency}, and the record of every document rests there; the network file has to allow it.`,
  );
}

export function noLegalSite({
  residency,
  tier,
}: {
  readonly residency: string;
  readonly tier: TierName;
}): KattegatError {
  return new KattegatError(
    "no_legal_site",
    `No running site may hold a document of class ${residency} in the tier ${tier}; the network file has to allow one.`,
  );
}

function refusalOf(
  current: DocumentState | null,
  { precondition, zone }: { readonly precondition: Precondition; readonly zone: string | null },
  network: Network,
): KattegatError | null {
  if (current !== null && zone !== null && !mayPass(network, current.residency, zone)) {
    return new KattegatError(
      "residency_refused",
      `The document with this id is of a class that may not be written through the zone ${zone}.`,
    );
  }
  return failedPrecondition(precondition, current);
}

function stateOf(
  content: DocumentContent,
  current: DocumentState | null,
  { nowMs, passageCount }: { readonly nowMs: number; readonly passageCount: number },
): DocumentState {
  const observed = current?.observed_at
    ? { hits: current.observed_hits, atMs: current.observed_at.getTime() }
    : null;
  const use = predictedUse(
    {
      importance: content.importance,
      publishedAtMs: content.published_at === null ? null : Date.parse(content.published_at),
      observed,
    },
    nowMs,
  );
  const { importance } = content;
  const tier = content.pinned_tier ?? tierOf({ importance, use });
  const { text: _text, passages: _passages, model: _model, ...fields } = content;
  const fresh: DocumentState = {
    ...fields,
    version: current?.version ?? "0",
    sequence: current?.sequence ?? "0",
    carried: current?.carried ?? "0",
    tier: current?.tier ?? tier,
    moving_from: current?.moving_from ?? null,
    held: current?.held ?? [],
    predicted_use: use,
    score: tierScore({ importance, use }),
    observed_hits: current?.observed_hits ?? 0,
    observed_at: current?.observed_at ?? null,
    passage_count: passageCount,
    created_at: current?.created_at ?? new Date(nowMs),
  };
  return moved(fresh, tier);
}
