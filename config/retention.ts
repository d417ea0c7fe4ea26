/** Says how long documents of a class are kept. */
import type { Day } from "./day.ts";
import { ALWAYS, dayOf } from "./day.ts";
import type { Network, ResidencyClass } from "./network.ts";

export interface DocumentDates {
  /** RFC 3339, as a document has them. */
  readonly created_at: string;
  readonly published_at: string | null;
}

const DAY_MS = 86_400_000;

/**
 * Returns the last day on which a document may be kept, `ALWAYS` without a period.
 *
 * A document without the date from which the period counts has no end by it: only someone who knows the document can say.
 */
export function keptUntil({ retention }: Pick<ResidencyClass, "retention">, dates: DocumentDates): Day {
  if (retention?.until !== undefined) return retention.until;
  if (retention?.keep_days === undefined || retention.from === undefined) return ALWAYS;
  const from = dates[retention.from];
  if (from === null) return ALWAYS;
  return dayOf(Date.parse(from) + retention.keep_days * DAY_MS);
}

/** Says by what the first class keeps documents longer than the second; null when on no day it does, whatever the document. */
export function keptFor(
  own: Pick<ResidencyClass, "retention">,
  base: Pick<ResidencyClass, "retention">,
): string | null {
  const [mine, limit] = [own.retention, base.retention];
  if (limit === undefined) return null;
  if (mine === undefined) return "no retention, where documents must be deleted";
  if (limit.until !== undefined)
    return mine.until !== undefined && mine.until <= limit.until
      ? null
      : `${periodOf(mine)} instead of until ${limit.until}`;
  const isWithin =
    mine.keep_days !== undefined &&
    limit.keep_days !== undefined &&
    mine.from === limit.from &&
    mine.keep_days <= limit.keep_days;
  return isWithin ? null : `${periodOf(mine)} instead of ${periodOf(limit)}`;
}

/** What the law allows as long as documents are kept: whether their time is over is another question than where they may be. */
export function withoutRetention<Rules extends Pick<Network, "classes">>(network: Rules): Rules {
  const classes = Object.entries(network.classes).map(([name, rules]) => [
    name,
    { ...rules, retention: undefined },
  ]);
  return { ...network, classes: Object.fromEntries(classes) };
}

export function periodOf(retention: NonNullable<ResidencyClass["retention"]>): string {
  return retention.until === undefined
    ? `${retention.keep_days ?? 0} days from ${retention.from ?? "no date"}`
    : `until ${retention.until}`;
}
