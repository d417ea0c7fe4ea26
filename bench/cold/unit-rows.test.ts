import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lengthOf } from "@kattegat/engine/vector/vector-store.ts";
import { afterAll, describe, expect, it } from "vitest";
import { COLUMNS } from "./ask.ts";
import { createClusteredSource } from "./clustered-source.ts";
import { measureVectors } from "./measure-vectors.ts";
import { writeNpy } from "./npy.ts";
import { holdOut, withQueries } from "./unit-rows.ts";
import { openVectorFile } from "./vector-file.ts";

const folder = mkdtempSync(join(tmpdir(), "kattegat-unit-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of lengths 1 to 50, each in a direction of its own. */
function ndjson(name: string, count: number): string {
  const path = join(folder, name);
  const lines = Array.from({ length: count }, (_, row) =>
    JSON.stringify({ id: `v-${row}`, vector: [row + 1, (row + 1) * row] }),
  );
  writeFileSync(path, lines.join("\n"));
  return path;
}

async function rowsOf(file: Awaited<ReturnType<typeof openVectorFile>>): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for await (const block of file.blocks(7)) {
    expect(block.firstRow).toBe(rows.length);
    for (let row = 0; row < block.rows; row += 1)
      rows.push(block.vectors.slice(row * file.dimensions, (row + 1) * file.dimensions));
  }
  return rows;
}

describe("the rows of a file", () => {
  it("have unit length, held out ones left out and the others numbered anew", async () => {
    const source = await openVectorFile(ndjson("fifty.ndjson", 50));
    const { file, queries } = await holdOut(source, 10);
    const rows = await rowsOf(file);
    expect([rows.length, file.count, queries.length]).toEqual([40, 40, 10]);
    for (const vector of [...rows, ...queries]) expect(lengthOf(vector)).toBeCloseTo(1, 5);
    const all = [...rows, ...queries].map((vector) => vector.join());
    expect(new Set(all).size).toBe(50);
  });

  it("are all kept when queries have a file of their own, of which the first are taken", async () => {
    const source = await openVectorFile(ndjson("thirty.ndjson", 30));
    const other = await openVectorFile(ndjson("five.ndjson", 5));
    const { file, queries } = await withQueries(source, other, 3);
    expect([(await rowsOf(file)).length, file.count, queries.length]).toEqual([30, 30, 3]);
  });

  it("are refused with queries of other dimensions", async () => {
    const path = join(folder, "three.npy");
    await writeNpy(path, 3, [Float32Array.of(1, 0, 0)]);
    const source = await openVectorFile(ndjson("two.ndjson", 4));
    await expect(withQueries(source, await openVectorFile(path), 1)).rejects.toThrow(
      "expected 2 dimensions, got 3",
    );
  });
});

describe("a base made of a file of vectors", () => {
  it("is measured in a process of its own", async () => {
    const dimensions = 32;
    const vectors = join(folder, "clustered.npy");
    const source = createClusteredSource({ count: 3_000, dimensions, seed: 1 });
    await writeNpy(vectors, dimensions, source.blocks(1_000));
    const measured = await measureVectors({
      vectors,
      queries: null,
      queriesMax: 20,
      folder: join(folder, "base"),
    });
    expect(measured).toMatchObject({ passages: 2_980, dimensions, queries: 20, lists: 8 });
    expect(measured.bytes / measured.passages).toBeLessThan(100);
    const column = (name: string): number[] =>
      measured.curve.map((row) => Number(row[COLUMNS.indexOf(name)]));
    const [ofTwo = 0, ofFour = 0, ofEight = 0] = column("KiB a query");
    expect(ofTwo).toBeLessThan(ofFour);
    expect(ofFour).toBeLessThan(ofEight);
    expect(Math.min(...column("recall@10"))).toBeGreaterThan(0.9);
  });

  it("is told as missing when the process fails", async () => {
    const order = {
      vectors: join(folder, "none.npy"),
      queries: null,
      queriesMax: 1,
      folder: join(folder, "b"),
    };
    await expect(measureVectors(order)).rejects.toThrow("the process ended with 1");
  });
});
