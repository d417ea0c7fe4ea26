/** Types of columns that drizzle does not have. */
import { customType, timestamp } from "drizzle-orm/pg-core";

/** Sequences stay decimal strings from the driver to the wire: a JavaScript number ends at 2^53. */
export const sequence = customType<{ data: string; driverData: string }>({ dataType: () => "bigint" });
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });
