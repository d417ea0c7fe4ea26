/** Runs the migrations that a database has not had. */
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import type postgres from "postgres";

/** Takes the client over: drizzle replaces its parsers of dates. */
export async function migrateDatabase(sql: postgres.Sql): Promise<void> {
  await migrate(drizzle(sql), {
    migrationsFolder: fileURLToPath(new URL("../migrations", import.meta.url)),
  });
}
