/** The bounds of a network: the section `limits` of its file. */
import { z } from "zod";

/** What an operator may choose at most, and for how long the releases before this limit kept pieces. */
export const CACHE_SECONDS_MAX = 604_800;

export const limits = z.strictObject({
  lag_ms_max: z
    .int()
    .min(100)
    .max(3_600_000)
    .meta({
      description: "a site further behind the primary is not ready, 100 to 3600000 ms",
      examples: [30_000],
    }),
  key_requests_per_second_max: z
    .int()
    .min(1)
    .max(100_000)
    .meta({ description: "requests a second that one key may send to one edge", examples: [200] }),
  dead_seconds_max: z
    .int()
    .min(1)
    .max(86_400)
    .default(3_600)
    .meta({
      description:
        "how long what is hidden may rest in files that are made anew to be rid of it, 1 to 86400 seconds",
      examples: [3_600],
    }),
  cache_seconds_max: z
    .int()
    .min(1)
    .max(CACHE_SECONDS_MAX)
    .default(86_400)
    .meta({
      description:
        "how long a location's cache may keep pieces of cold objects and candidates of searches, 1 to 604800 seconds",
      examples: [86_400],
    }),
});
