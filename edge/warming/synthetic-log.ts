/** A made-up query log with the habits of a real one. */
import type { LogRecord } from "./query-log.ts";
import { HOUR_MS } from "./week.ts";

export interface SyntheticOptions {
  readonly lists: number;
  readonly days: number;
  /** Of one colo on a working day. */
  readonly queriesADay: number;
  readonly colos: readonly string[];
  /** Demand of the n-th most wanted subject falls as n to the minus this. */
  readonly zipf: number;
  /** Share of the subjects that change places in rank every day. */
  readonly drift: number;
  /** A new generation renames every list after so many days; null for never. */
  readonly generationDays: number | null;
  readonly random: () => number;
}

/** A query reads the lists of its subject's neighbourhood. */
const PROBES = 12;
/** Two queries about one subject share most lists, not all. */
const NEIGHBOURHOOD = 18;
/** Hours of the local day in which an office asks, and how little of it goes on at night. */
const OFFICE_HOURS = [8, 17] as const;
const NIGHT_LEVEL = 0.02;
const WEEKEND_LEVEL = 0.15;
/** 1970 began on a Thursday. */
const FIRST_WEEKDAY = 4;
/** Share of the new lists whose nearest old one is not the place they mostly came from. */
const ANCESTOR_ERROR = 0.15;

/** Yields queries and generations in the order of time; colos lie eight hours apart. */
export function* syntheticLog(options: SyntheticOptions): Generator<LogRecord> {
  const { lists, days, random } = options;
  const subjects = lists;
  const ranks = shuffled(subjects, random);
  const pick = zipfPicker(subjects, options.zipf, random);
  let names = Array.from({ length: lists }, (_, list) => list);
  let generation = 1;
  for (let hour = 0; hour < days * 24; hour += 1) {
    const day = Math.floor(hour / 24);
    if (hour % 24 === 0 && day > 0) {
      drift(ranks, options.drift, random);
      if (options.generationDays !== null && day % options.generationDays === 0) {
        generation += 1;
        const renamed = rename(names, random);
        names = renamed.names;
        // Builders run at any time: half past six in the morning of the first colo.
        yield { at: (hour + 0.01) * HOUR_MS, generation, ancestors: renamed.ancestors };
      }
    }
    const records: LogRecord[] = [];
    for (const [place, colo] of options.colos.entries()) {
      const asked = poisson((options.queriesADay * level(hour + place * 8)) / 24, random);
      for (let query = 0; query < asked; query += 1) {
        const subject = ranks[pick()] ?? 0;
        records.push({ at: (hour + random()) * HOUR_MS, colo, lists: listsOf(subject, names, random) });
      }
    }
    yield* records.sort((a, b) => a.at - b.at);
  }
}

/** Level of demand in an hour, with a mean of about one on a working day. */
function level(localHour: number): number {
  const [from, to] = OFFICE_HOURS;
  const hour = localHour % 24;
  const weekday = (Math.floor(localHour / 24) + FIRST_WEEKDAY) % 7;
  const isWeekend = weekday === 0 || weekday === 6;
  const isOffice = hour >= from && hour < to;
  return (isOffice ? 24 / (to - from) : NIGHT_LEVEL) * (isWeekend ? WEEKEND_LEVEL : 1);
}

function listsOf(subject: number, names: readonly number[], random: () => number): number[] {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(PROBES, names.length)) {
    // Nearer lists are read more often.
    const step = Math.floor(random() * random() * NEIGHBOURHOOD * 1.5);
    chosen.add(names[(subject + step) % names.length] ?? 0);
  }
  return [...chosen];
}

function drift(ranks: number[], share: number, random: () => number): void {
  for (let swap = 0; swap < (ranks.length * share) / 2; swap += 1) {
    const a = Math.floor(random() * ranks.length);
    const b = Math.floor(random() * ranks.length);
    [ranks[a], ranks[b]] = [ranks[b] ?? 0, ranks[a] ?? 0];
  }
}

/** A new clustering numbers the same places anew, and draws some borders elsewhere. */
function rename(
  names: readonly number[],
  random: () => number,
): { readonly names: number[]; readonly ancestors: number[] } {
  const renamed = shuffled(names.length, random);
  const ancestors = new Array<number>(names.length).fill(0);
  for (const [place, name] of renamed.entries()) {
    const isElsewhere = random() < ANCESTOR_ERROR;
    ancestors[name] = names[isElsewhere ? (place + 1) % names.length : place] ?? 0;
  }
  return { names: renamed, ancestors };
}

/** Picks ranks by inverting the cumulated weights. */
function zipfPicker(count: number, exponent: number, random: () => number): () => number {
  const cumulated = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += (rank + 1) ** -exponent;
    cumulated[rank] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulated[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Fisher and Yates, as Durstenfeld wrote it (1964). */
function shuffled(count: number, random: () => number): number[] {
  const numbers = Array.from({ length: count }, (_, number) => number);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [numbers[at], numbers[other]] = [numbers[other] ?? 0, numbers[at] ?? 0];
  }
  return numbers;
}

/** Knuth's product of uniforms in logarithms; a thousand an hour take a thousand draws. */
function poisson(mean: number, random: () => number): number {
  let count = 0;
  for (let sum = -Math.log(1 - random()); sum < mean; sum -= Math.log(1 - random())) count += 1;
  return count;
}
