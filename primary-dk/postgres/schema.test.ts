import { getTableColumns, getTableName } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import journal from "../migrations/meta/_journal.json" with { type: "json" };
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { openDatabase } from "./database.ts";
import * as ledgerSchema from "./ledger-schema.ts";
import * as schema from "./schema.ts";

let postgres: PostgresFixture;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

it("declares the columns that the migrations make, with their types and nullability", async () => {
  const database = await openDatabase({ url: await postgres.database() });
  for (const table of Object.values({ ...schema, ...ledgerSchema })) {
    const rows = await database.sql`
      select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required from pg_attribute a
      where a.attrelid = ${getTableName(table)}::regclass and a.attnum > 0 and not a.attisdropped order by 1`;
    const declared = Object.values(getTableColumns(table)).map((column) => ({
      name: column.name,
      type: column.getSQLType(),
      required: column.notNull || column.primary,
    }));
    const made = rows.map((row) => ({ name: row["name"], type: row["type"], required: row["required"] }));
    const inKey = (name: string) => made.find((column) => column.name === name)?.required ?? false;
    expect(
      declared
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((column) => ({ ...column, required: column.required || inKey(column.name) })),
    ).toEqual(made);
  }
  await database.close();
});

it("is migrated once when several processes start at the same time", async () => {
  const url = await postgres.database();
  const [first, ...others] = await Promise.all([
    openDatabase({ url }),
    openDatabase({ url }),
    openDatabase({ url }),
  ]);
  const [row] = await first.sql`select count(*)::int as count from drizzle.__drizzle_migrations`;
  expect(row?.["count"]).toBe(journal.entries.length);
  await Promise.all([first, ...others].map((database) => database.close()));
});
