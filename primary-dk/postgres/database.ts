/** Opens the connections to Postgres with its tables up to date. */
import postgres from "postgres";
import journal from "../migrations/meta/_journal.json" with { type: "json" };
import { socketsWithoutDelay } from "./socket.ts";

/** Group commits use one at a time; the others serve reads, feeds, one rebuild. */
const CONNECTIONS_MAX = 10;
const CONNECT_SECONDS_MAX = 5;
/** "KTGT": any process that migrates this database takes the same lock. */
const MIGRATION_LOCK = 0x4b544754;

export interface Database {
  readonly sql: postgres.Sql;
  close(): Promise<void>;
}

/** Resolves when every migration has run; two processes that start at once run each only once. */
export async function openDatabase({ url }: { readonly url: string }): Promise<Database> {
  const options = {
    connect_timeout: CONNECT_SECONDS_MAX,
    onnotice: () => {},
    socket: socketsWithoutDelay(),
  };
  const single = postgres(url, { ...options, max: 1 });
  try {
    await single`select pg_advisory_lock(${MIGRATION_LOCK})`;
    // Loading the migrator costs more than all else that a start loads.
    if (!(await isMigrated(single))) {
      const { migrateDatabase } = await import("./migrate.ts");
      await migrateDatabase(single);
    }
  } finally {
    await single.end({ timeout: 1 });
  }
  const sql = postgres(url, { ...options, max: CONNECTIONS_MAX });
  return { sql, close: () => sql.end({ timeout: 2 }) };
}

/** As the migrator decides it: by the time of the last migration that ran. */
async function isMigrated(sql: postgres.Sql): Promise<boolean> {
  const [table] = await sql`select to_regclass('drizzle.__drizzle_migrations') is not null as exists`;
  if (table?.["exists"] !== true) return false;
  const [last] = await sql`select max(created_at) as ran_at from drizzle.__drizzle_migrations`;
  const newest = Math.max(...journal.entries.map(({ when }) => when));
  return Number(last?.["ran_at"] ?? 0) >= newest;
}
