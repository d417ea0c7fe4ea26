/** What a location is asked for, written down in its cache: isolates come and go, a location's habits stay. */
import { z } from "zod";
import type { SessionOptions } from "../cold/piece-reader.ts";
import type { CacheLike } from "../cold/result-cache.ts";
import type { Heat, Warmth } from "./heat.ts";
import { createWeek, HOURS_OF_WEEK, type Week } from "./week.ts";

/** A location that nobody asks for so long has no habits left. */
const KEPT_SECONDS = 14 * 24 * 3_600;

/** Numbers of lists and counts of hours; nothing that a caller wrote. */
const savedSchema = z.object({
  base: z.string(),
  at_ms: z.number(),
  heat: z.array(z.object({ key: z.string(), heat: z.number().nonnegative() })),
  hours: z.array(z.number().nonnegative()).length(HOURS_OF_WEEK),
});

export interface Habits {
  /** Key of the base whose lists are counted. */
  readonly base: string;
  readonly warmths: readonly Warmth[];
  readonly week: Week;
}

/** A location, with the account of the search that came there: without a subrequest left nothing is loaded or saved. */
type Place = Pick<SessionOptions, "colo" | "subrequests">;

export interface HabitStore {
  /** Resolves with null where none are kept, or none that can be read. */
  load(place: Place): Promise<Habits | null>;
  save(
    place: Place,
    habits: { readonly base: string; readonly heat: Heat; readonly week: Week },
  ): Promise<void>;
}

export function createHabitStore(options: {
  readonly site: string;
  readonly openCache: (colo: string) => Promise<CacheLike>;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}): HabitStore {
  const { site, openCache, now, report } = options;
  const url = `https://cold-habits.invalid/${site}`;
  return {
    async load({ colo, subrequests }) {
      if (!subrequests.take()) return null;
      try {
        const response = await (await openCache(colo)).match(url);
        if (response === undefined) return null;
        const { base, at_ms, heat, hours } = savedSchema.parse(await response.json());
        return { base, warmths: heat, week: createWeek({ counts: hours, atMs: at_ms }) };
      } catch (error) {
        report(error);
        return null;
      }
    },
    async save({ colo, subrequests }, { base, heat, week }) {
      if (!subrequests.take()) return;
      const atMs = now();
      const saved: z.infer<typeof savedSchema> = {
        base,
        at_ms: atMs,
        heat: [...heat.hottest(atMs)],
        hours: [...week.counts(atMs)],
      };
      const headers = { "content-type": "application/json", "cache-control": `max-age=${KEPT_SECONDS}` };
      await (await openCache(colo)).put(url, new Response(JSON.stringify(saved), { headers })).catch(report);
    },
  };
}
