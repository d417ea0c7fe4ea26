import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readReceipt } from "../documents/documents.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { checkedRows, columnsOf, rowSchema } from "./checked-rows.ts";
import { openDatabase, type Database } from "./database.ts";
import type { receipts } from "./schema.ts";

type Receipts = typeof receipts.$inferSelect;

let postgres: PostgresFixture;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe("a row's schema", () => {
  const row = rowSchema<Receipts>()({ id: z.string(), hidden_at: z.date().nullable() });

  it("names the columns that a query reads, and takes what they hold", () => {
    expect(columnsOf(row)).toEqual(["id", "hidden_at"]);
    expect(checkedRows(row, [{ id: "r", hidden_at: null }])).toEqual([{ id: "r", hidden_at: null }]);
  });

  it("takes no column that the table does not declare, and none as another type", () => {
    // @ts-expect-error the table has no such column
    rowSchema<Receipts>()({ id: z.string(), asked_at: z.date() });
    // @ts-expect-error the column is text
    rowSchema<Receipts>()({ id: z.int() });
    // @ts-expect-error the column can be null
    rowSchema<Receipts>()({ hidden_at: z.date() });
    // @ts-expect-error the column can never be null
    rowSchema<Receipts>()({ id: z.string().nullable() });
  });

  it("refuses a row with another column, without one, or with another value, and quotes none (I17)", () => {
    for (const wrong of [
      { id: "secret" },
      { id: "secret", hidden_at: "secret" },
      { id: "secret", hidden_at: null, more: "secret" },
    ])
      expect(() => checkedRows(row, [wrong])).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("secret") }),
      );
  });
});

describe("a receipt", () => {
  async function withReceipt(change: string, use: (database: Database) => Promise<void>): Promise<void> {
    const database = await openDatabase({ url: await postgres.database() });
    try {
      await database.sql`
        insert into receipts (id, document_id, epoch, sequence, partition, requested_at)
        values ('r', 'd', 1, 1, 1, now())`;
      await database.sql`insert into receipt_sites (receipt_id, site) values ('r', 'dk-cph')`;
      await database.sql.unsafe(change);
      await use(database);
    } finally {
      await database.close();
    }
  }

  it("is read with its sites", async () => {
    await withReceipt("select", async (database) => {
      expect(await readReceipt({ database }, "r")).toMatchObject({
        document_id: "d",
        hidden_at: null,
        sites: [{ site: "dk-cph", confirmed_at: null, removed_at: null, means: null }],
      });
      expect(await readReceipt({ database }, "none")).toBeNull();
    });
  });

  it.each([
    "alter table receipts rename hidden_at to hid_at",
    "alter table receipts alter hidden_at type text using 'soon'",
    "alter table receipt_sites rename removed_at to gone_at",
    "alter table receipt_sites alter means type boolean using true",
  ])("is never told without what a changed table no longer says: %s", async (change) => {
    await withReceipt(change, async (database) => {
      await expect(readReceipt({ database }, "r")).rejects.toThrow(/hidden_at|removed_at|means/);
    });
  });
});
