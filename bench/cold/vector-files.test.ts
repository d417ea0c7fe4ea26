import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exactDot } from "@kattegat/engine/vector/dot.ts";
import { afterAll, describe, expect, it } from "vitest";
import { createClusteredSource } from "./clustered-source.ts";
import { exactTop } from "./exact-top.ts";
import { writeNpy } from "./npy.ts";
import { recallOf } from "./recall.ts";
import { VectorFileError, type VectorFile } from "./vector-block.ts";
import { openVectorFile } from "./vector-file.ts";

const folder = mkdtempSync(join(tmpdir(), "kattegat-vectors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DIMENSIONS = 8;
const COUNT = 300;
const source = createClusteredSource({ count: COUNT, dimensions: DIMENSIONS, seed: 5 });
const all = [...source.blocks(COUNT)][0] ?? new Float32Array();

async function contentsOf(file: VectorFile, rowsMax: number): Promise<{ vectors: number[]; ids: string[] }> {
  const vectors: number[] = [];
  const ids: string[] = [];
  let next = 0;
  for await (const block of file.blocks(rowsMax)) {
    expect(block.firstRow).toBe(next);
    expect(block.rows).toBeLessThanOrEqual(rowsMax);
    next += block.rows;
    vectors.push(...block.vectors);
    ids.push(...(block.ids ?? []));
  }
  return { vectors, ids };
}

function written(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

function fvecs(rows: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    rows.map((row) => {
      const bytes = Buffer.alloc(4 + row.length * 4);
      bytes.writeInt32LE(row.length);
      row.forEach((value, at) => bytes.writeFloatLE(value, 4 + at * 4));
      return bytes;
    }),
  );
}

function npy(header: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(10);
  head.write("\u0093NUMPY\u0001\u0000", "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header, "latin1"), data]);
}

describe("a file of vectors", () => {
  it.each([1, 7, 300, 1_000])("gives all rows of an .npy file in order, %i at a time", async (rowsMax) => {
    const path = join(folder, "all.npy");
    expect(await writeNpy(path, DIMENSIONS, source.blocks(64))).toBe(COUNT);
    const file = await openVectorFile(path);
    expect(file).toMatchObject({ count: COUNT, dimensions: DIMENSIONS });
    expect((await contentsOf(file, rowsMax)).vectors).toEqual([...all]);
  });

  it("reads .npy, .fvecs, .ndjson alike", async () => {
    const rows = [
      [1, 2, 3],
      [-0.5, 0, 0.25],
    ];
    const data = new Uint8Array(Float32Array.from(rows.flat()).buffer);
    const paths = [
      written("small.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", data)),
      written("small.fvecs", fvecs(rows)),
      written("small.ndjson", rows.map((vector, at) => JSON.stringify({ id: `d${at}`, vector })).join("\n")),
    ];
    for (const path of paths) {
      const contents = await contentsOf(await openVectorFile(path), 1);
      expect(contents.vectors, path).toEqual(rows.flat());
      expect(contents.ids, path).toEqual(path.endsWith(".ndjson") ? ["d0", "d1"] : []);
    }
  });

  it.each([
    ["float64", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", /'<f4'.*'<f8'/],
    ["columns first", "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", /fortran_order/],
    ["one dimension", "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", /\(rows, dimensions\)/],
    [
      "a length that differs",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 2), }",
      /bytes for 9 × 2/,
    ],
  ])("refuses an .npy file with %s", async (name, header, message) => {
    const path = written(`${name}.npy`, npy(header, new Uint8Array(16)));
    await expect(openVectorFile(path)).rejects.toThrow(message);
    await expect(openVectorFile(path)).rejects.toThrow(VectorFileError);
  });

  it("refuses what is no .npy file at all", async () => {
    await expect(openVectorFile(written("text.npy", "hello, hello, hello"))).rejects.toThrow(/NUMPY/);
  });

  it("names the row of an .fvecs file that has other dimensions", async () => {
    const path = written("uneven.fvecs", Buffer.concat([fvecs([[1, 2]]), fvecs([[1, 2]])]));
    const bytes = Buffer.concat([fvecs([[1, 2]]), fvecs([[3, 4]])]);
    bytes.writeInt32LE(3, 12);
    const broken = written("broken.fvecs", bytes);
    await expect(contentsOf(await openVectorFile(broken), 10)).rejects.toThrow(
      /2 dimensions in row 1, got 3/,
    );
    expect((await contentsOf(await openVectorFile(path), 10)).vectors).toEqual([1, 2, 1, 2]);
    await expect(openVectorFile(written("cut.fvecs", bytes.subarray(0, 20)))).rejects.toThrow(
      /multiple of 12/,
    );
  });

  it("names the line of an .ndjson file that holds no vector", async () => {
    const good = JSON.stringify({ id: "a", vector: [1, 2] });
    const path = written("bad.ndjson", `${good}\n{"id":"b"}\n`);
    await expect(contentsOf(await openVectorFile(path), 10)).rejects.toThrow(/bad\.ndjson:2: expected/);
    const shorter = written("short.ndjson", `${good}\n{"id":"b","vector":[1]}\n`);
    await expect(contentsOf(await openVectorFile(shorter), 10)).rejects.toThrow(
      /:2: expected 2 dimensions, got 1/,
    );
  });

  it("refuses a name that says no format", async () => {
    await expect(openVectorFile("vectors.bin")).rejects.toThrow(/\.npy, \.fvecs/);
  });
});

describe("the clustered source", () => {
  it("gives the same rows however they are cut", () => {
    const cut = [...source.blocks(17)].flatMap((block) => [...block]);
    expect(cut).toEqual([...all]);
  });

  it("gives unit vectors, some of them equal, many of them near", () => {
    const count = 3_000;
    const [rows = new Float32Array()] = createClusteredSource({ count, dimensions: 32, seed: 9 }).blocks(
      count,
    );
    const vectors = Array.from({ length: count }, (_, row) => rows.subarray(row * 32, (row + 1) * 32));
    for (const vector of vectors) expect(exactDot(vector, vector)).toBeCloseTo(1, 5);
    const distinct = new Set(vectors.map((vector) => vector.join())).size;
    expect(count - distinct).toBeGreaterThan(count * 0.03);
    expect(count - distinct).toBeLessThan(count * 0.06);
    const nearest = vectors
      .slice(2_000, 2_200)
      .map((vector, at) =>
        Math.max(...vectors.map((other, row) => (row === 2_000 + at ? -1 : exactDot(vector, other)))),
      );
    expect(nearest.filter((score) => score > 0.98).length).toBeGreaterThan(60);
  });

  it("gives other rows for another seed", () => {
    const other = createClusteredSource({ count: COUNT, dimensions: DIMENSIONS, seed: 6 });
    expect([...other.blocks(COUNT)][0]).not.toEqual(all);
  });
});

describe("the exact top", () => {
  it("equals a plain float scan, across blocks, with ties by row", async () => {
    const dimensions = 24;
    const count = 70_000;
    const large = createClusteredSource({ count, dimensions, seed: 3 });
    const path = join(folder, "large.npy");
    await writeNpy(path, dimensions, large.blocks(8_192));
    const file = await openVectorFile(path);
    const [rows = new Float32Array()] = large.blocks(count);
    const queries = [...large.queries(5), rows.slice(69_999 * dimensions)];
    const tops = await exactTop(file, queries, 10);
    for (const [at, query] of queries.entries()) {
      const scored = Array.from({ length: count }, (_, row) => ({
        row,
        score: exactDot(query, rows.subarray(row * dimensions, (row + 1) * dimensions)),
      }));
      const best = scored.toSorted((a, b) => b.score - a.score || a.row - b.row).slice(0, 10);
      expect(tops[at]).toEqual({ rows: best.map(({ row }) => row), scores: best.map(({ score }) => score) });
    }
  });

  it("counts a row that ties with the last wanted one as found, a worse one as missed", async () => {
    const path = written(
      "ties.fvecs",
      fvecs([
        [1, 0],
        [0.5, 0],
        [0.5, 0],
        [0.25, 0],
      ]),
    );
    const file = await openVectorFile(path);
    const queries = [Float32Array.of(1, 0)];
    const truths = await exactTop(file, queries, 2);
    expect(truths[0]?.rows).toEqual([0, 1]);
    expect(await recallOf(file, queries, [[2, 0]], truths)).toBe(1);
    expect(await recallOf(file, queries, [[0, 3]], truths)).toBe(0.5);
    expect(await recallOf(file, queries, [[0, 0]], truths)).toBe(0.5);
    expect(await recallOf(file, queries, [[0, 1, 2]], truths)).toBe(1);
  });
});
