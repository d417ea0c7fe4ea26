/** The memory of whether a site answers. */

/** Failures in a row after which a site is no longer asked: one may be chance, three within a second of load are not. */
export const FAILURES_MAX = 3;
/** How long a silent site is left alone; its return is seen within this time. */
export const OPEN_MS = 2_000;

/**
 * - `closed`: requests pass.
 * - `open`: requests fail at once until the time has passed.
 * - `half-open`: one request is on its way to try; others fail at once.
 */
export type BreakerState =
  | { readonly kind: "closed"; readonly failures: number }
  | { readonly kind: "open"; readonly untilMs: number }
  | { readonly kind: "half-open"; readonly sinceMs: number };

export type BreakerEvent =
  | { readonly kind: "ask"; readonly atMs: number }
  | { readonly kind: "success"; readonly atMs: number }
  | { readonly kind: "failure"; readonly atMs: number };

export const CLOSED: BreakerState = { kind: "closed", failures: 0 };

/** The state after the event; `allowed` says whether an `ask` may go out. */
export function next(
  state: BreakerState,
  event: BreakerEvent,
): { readonly state: BreakerState; readonly allowed: boolean } {
  switch (event.kind) {
    case "ask":
      return ask(state, event.atMs);
    case "success":
      return { state: CLOSED, allowed: true };
    case "failure":
      return { state: failed(state, event.atMs), allowed: false };
    default: {
      const never: never = event;
      return never;
    }
  }
}

function ask(state: BreakerState, atMs: number): { readonly state: BreakerState; readonly allowed: boolean } {
  switch (state.kind) {
    case "closed":
      return { state, allowed: true };
    case "open":
      return atMs < state.untilMs
        ? { state, allowed: false }
        : { state: { kind: "half-open", sinceMs: atMs }, allowed: true };
    case "half-open":
      // A try whose request was abandoned with its caller must not lock the site out for ever.
      return atMs < state.sinceMs + OPEN_MS
        ? { state, allowed: false }
        : { state: { kind: "half-open", sinceMs: atMs }, allowed: true };
    default: {
      const never: never = state;
      return never;
    }
  }
}

function failed(state: BreakerState, atMs: number): BreakerState {
  switch (state.kind) {
    case "closed":
      return state.failures + 1 >= FAILURES_MAX
        ? { kind: "open", untilMs: atMs + OPEN_MS }
        : { kind: "closed", failures: state.failures + 1 };
    case "open":
      return state;
    case "half-open":
      return { kind: "open", untilMs: atMs + OPEN_MS };
    default: {
      const never: never = state;
      return never;
    }
  }
}
