/** A process for one base made of vectors, so that its peak of memory is its own; started by `measureVectors`. */
import { rmSync } from "node:fs";
import { measureOrderSchema, type MeasuredVectors } from "./measure-vectors.ts";
import { holdOut, withQueries } from "./unit-rows.ts";
import { buildVectors, searchVectors } from "./vector-base.ts";
import { openVectorFile } from "./vector-file.ts";

const order = measureOrderSchema.parse(JSON.parse(process.argv[2] ?? ""));
const { folder, queriesMax } = order;

async function measure(): Promise<MeasuredVectors> {
  const source = await openVectorFile(order.vectors);
  const rows =
    order.queries === null
      ? await holdOut(source, queriesMax)
      : await withQueries(source, await openVectorFile(order.queries), queriesMax);
  const { order: numbers, ...built } = await buildVectors(rows.file, folder);
  const curve = await searchVectors(rows, { folder, order: numbers });
  return { ...built, queries: rows.queries.length, curve };
}

try {
  process.send?.(await measure());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
