/** Says until when something holds: rules of residency end on a day, none begins on one. */

/** A day of the calendar, year-month-day, or one of the two below; they compare as texts. */
export type Day = string;

/** Before every day: it does not hold today either. */
export const NEVER: Day = "";
/** After every day that a network file can name. */
export const ALWAYS: Day = "9999-12-31";

export function earlier(left: Day, right: Day): Day {
  return left < right ? left : right;
}

export function later(left: Day, right: Day): Day {
  return left > right ? left : right;
}

/** Asks for the day only where it matters: most rules have no end, and a clock costs more than a decision. */
export function holdsOn(until: Day, today: Day | undefined): boolean {
  if (until === NEVER) return false;
  return until === ALWAYS || (today ?? todayUtc()) <= until;
}

/** The day in UTC of a time in milliseconds since 1970. */
export function dayOf(timeMs: number): Day {
  return new Date(timeMs).toISOString().slice(0, 10);
}

export function todayUtc(): Day {
  return dayOf(Date.now());
}
