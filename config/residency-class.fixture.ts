/** Makes random classes. */
import fc from "fast-check";

import type { ResidencyClass } from "./network.ts";

const entry = fc.constantFrom("DK", "DE", "NO", "GB", "SG", "GL", "EU", "EEA", "adequacy", "anywhere");
const countries = fc.uniqueArray(entry, { maxLength: 4 });
const zones = fc.uniqueArray(fc.constantFrom("eu" as const, "global" as const));
const because = { reason: "x", reference: "y" };
const day = fc.constantFrom("2027-01-01", "2031-12-27", "2040-01-01");
const transfer = fc.record({ to: fc.tuple(entry), until: fc.option(day, { nil: undefined }) });
/** Classes that have whatever conditions, sensible or not. */
export const anyClass: fc.Arbitrary<ResidencyClass> = fc.record({
  store: fc.record({ countries, zones }),
  transit: fc.record({ countries, zones }),
  serve: fc.record({ countries }),
  cache: fc.record({ zones }),
  personal_data: fc.option(fc.boolean(), { nil: undefined }),
  operators: fc.option(
    fc
      .uniqueArray(fc.constantFrom("US", "CN"), { minLength: 1 })
      .map((exclude_law) => ({ exclude_law, ...because })),
    { nil: undefined },
  ),
  transfers: fc.array(
    transfer.map((each) => ({ ...each, basis: "Art. 47", ...because })),
    { maxLength: 2 },
  ),
  stays_in: fc.option(
    fc.constantFrom("DK", "DE").map((country) => ({ country, ...because })),
    { nil: undefined },
  ),
  retention: fc.option(
    day.map((until) => ({ until, ...because })),
    { nil: undefined },
  ),
});
