/** The rule by which a process that ended is started again. */

/** The first wait; a process that fell by accident is back before a search's deadline. */
const DELAY_MS_FIRST = 250;
/** A process that cannot start should not keep a core busy. */
const DELAY_MS_MAX = 10_000;
/** After this long alive a process counts as sound, and its earlier ends are forgotten. */
const SOUND_MS = 30_000;
/** About a minute of attempts with growing waits; after that a person must look. */
const ENDS_MAX = 10;

export interface RestartState {
  readonly ends: number;
}

export const NO_ENDS: RestartState = { ends: 0 };

export type RestartDecision =
  | { readonly kind: "restart"; readonly delayMs: number; readonly state: RestartState }
  | { readonly kind: "give-up"; readonly state: RestartState };

/** What to do when a process has ended after living for `aliveMs`. */
export function afterEnd(state: RestartState, { aliveMs }: { readonly aliveMs: number }): RestartDecision {
  const ends = aliveMs >= SOUND_MS ? 1 : state.ends + 1;
  if (ends > ENDS_MAX) return { kind: "give-up", state: { ends } };
  return {
    kind: "restart",
    delayMs: Math.min(DELAY_MS_MAX, DELAY_MS_FIRST * 2 ** (ends - 1)),
    state: { ends },
  };
}
