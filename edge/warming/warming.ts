/** When a colo's cache is to be warmed. */

export type WarmingReason = "generation" | "busy-hour";

export type WarmingState =
  /** Nothing to do; `warmedHour` is the absolute hour of the last run that a busy hour asked for. */
  | { readonly kind: "idle"; readonly generation: number; readonly warmedHour: number | null }
  /** A run should start. */
  | {
      readonly kind: "due";
      readonly reason: WarmingReason;
      readonly generation: number;
      readonly warmedHour: number | null;
    }
  /** A run reads; `isOutdated` once a newer generation was published meanwhile. */
  | {
      readonly kind: "running";
      readonly reason: WarmingReason;
      readonly generation: number;
      readonly warmedHour: number | null;
      readonly isOutdated: boolean;
    };

export type WarmingEvent =
  | { readonly kind: "published"; readonly generation: number }
  /** Time passes; `isBeforeBusy` as the colo's week says. */
  | { readonly kind: "ticked"; readonly hour: number; readonly isBeforeBusy: boolean }
  | { readonly kind: "started" }
  /** The run ended, whether or not it read everything. */
  | { readonly kind: "ended" };

/** The state of a colo that serves this generation. */
export function initialWarming(generation: number): WarmingState {
  return { kind: "idle", generation, warmedHour: null };
}

/**
 * Returns the state after the event; one that makes no sense in a state changes nothing, because messages may come twice.
 *
 * | | published, newer | ticked before a busy hour | started | ended |
 * |---|---|---|---|---|
 * | idle | due (generation) | due (busy-hour), once an hour | – | – |
 * | due | due (generation) | – | running | – |
 * | running | running, outdated | – | – | idle, or due (generation) when outdated |
 */
export function next(state: WarmingState, event: WarmingEvent): WarmingState {
  const { generation, warmedHour } = state;
  switch (event.kind) {
    case "published":
      if (event.generation <= generation) return state;
      return state.kind === "running"
        ? { ...state, generation: event.generation, isOutdated: true }
        : { kind: "due", reason: "generation", generation: event.generation, warmedHour };
    case "ticked":
      if (state.kind !== "idle" || !event.isBeforeBusy || event.hour === warmedHour) return state;
      return { kind: "due", reason: "busy-hour", generation, warmedHour: event.hour };
    case "started":
      return state.kind === "due"
        ? { kind: "running", reason: state.reason, generation, warmedHour, isOutdated: false }
        : state;
    case "ended":
      if (state.kind !== "running") return state;
      return state.isOutdated
        ? { kind: "due", reason: "generation", generation, warmedHour }
        : { kind: "idle", generation, warmedHour };
  }
}
