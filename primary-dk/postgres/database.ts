/** Opens the connections to Postgres with its tables up to date. */
import { fileURLToPath } from "node:url";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

/** Group commits use one at a time; the others serve reads, feeds, one rebuild. */
const CONNECTIONS_MAX = 10;
/** Single documents, receipts, state at start. */
const TYPED_CONNECTIONS_MAX = 3;
const CONNECT_SECONDS_MAX = 5;
/** "KTGT": any process that migrates this database takes the same lock. */
const MIGRATION_LOCK = 0x4b544754;

export interface Database {
  readonly sql: postgres.Sql;
  readonly db: PostgresJsDatabase;
  close(): Promise<void>;
}

/** Resolves when every migration has run; two processes that start at once run each only once. */
export async function openDatabase({ url }: { readonly url: string }): Promise<Database> {
  const options = { connect_timeout: CONNECT_SECONDS_MAX, onnotice: () => {} };
  const single = postgres(url, { ...options, max: 1 });
  try {
    await single`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(single), {
      migrationsFolder: fileURLToPath(new URL("../migrations", import.meta.url)),
    });
  } finally {
    await single.end({ timeout: 1 });
  }
  const sql = postgres(url, { ...options, max: CONNECTIONS_MAX });
  // drizzle gets a client of its own: it replaces the client's date parsers.
  const typed = postgres(url, { ...options, max: TYPED_CONNECTIONS_MAX });
  return {
    sql,
    db: drizzle(typed),
    close: async () => {
      await Promise.all([sql.end({ timeout: 2 }), typed.end({ timeout: 2 })]);
    },
  };
}
