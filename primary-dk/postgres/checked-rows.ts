/** Rows of plain SQL with the columns that a table declares. */
import { z } from "zod";

type ColumnsOf<Row> = { readonly [Name in keyof Row]?: z.ZodType<Row[Name]> };

/** `ColumnsOf` alone takes a schema that gives less than the column holds, such as one without its nulls. */
type Whole<Row, Columns extends ColumnsOf<Row>> = {
  readonly [Name in keyof Columns]: Name extends keyof Row
    ? Row[Name] extends z.output<Columns[Name]>
      ? unknown
      : never
    : never;
};

/**
 * Declares which columns of a table a query reads, with what the driver gives for each.
 *
 * A column that `schema.ts` does not have, or has with a wider or narrower type, nulls included, does not compile; its tables are those that the migrations make.
 *
 * @example `const headRow = rowSchema<typeof logHead.$inferSelect>()({ epoch: z.int(), sequence: sequenceSchema });`
 */
export function rowSchema<Row>() {
  return <Columns extends ColumnsOf<Row>>(columns: Columns & Whole<Row, Columns>) =>
    z.strictObject<Columns>(columns);
}

/** For a query's list of columns: what is read is what is checked. */
export function columnsOf({ shape }: { readonly shape: object }): string[] {
  return Object.keys(shape);
}

/** @throws {z.ZodError} when the database has other columns than the code; it quotes no value. */
export function checkedRows<Row>(schema: z.ZodType<Row>, rows: readonly unknown[]): Row[] {
  return rows.map((row) => schema.parse(row));
}
