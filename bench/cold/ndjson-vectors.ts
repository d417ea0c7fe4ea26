/** Vectors as lines of JSON: `{"id": "…", "vector": [0.1, …]}`. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { checkedDimensions, VectorFileError, type VectorBlock, type VectorFile } from "./vector-block.ts";

const lineSchema = z.object({ id: z.string(), vector: z.array(z.number()) });
type Line = z.infer<typeof lineSchema>;

/** @throws {VectorFileError} when the first line holds no vector. */
export async function openNdjsonVectors(path: string): Promise<VectorFile> {
  for await (const { vector } of linesOf(path)) {
    const dimensions = checkedDimensions(path, vector.length);
    return { path, dimensions, count: null, blocks: (rowsMax) => ndjsonBlocks(path, dimensions, rowsMax) };
  }
  throw new VectorFileError(`${path}: expected at least one line, got an empty file`);
}

async function* ndjsonBlocks(path: string, dimensions: number, rowsMax: number): AsyncGenerator<VectorBlock> {
  let firstRow = 0;
  let ids: string[] = [];
  let vectors = new Float32Array(rowsMax * dimensions);
  for await (const { id, vector } of linesOf(path)) {
    if (vector.length !== dimensions)
      throw new VectorFileError(
        `${path}:${firstRow + ids.length + 1}: expected ${dimensions} dimensions, got ${vector.length}`,
      );
    vectors.set(vector, ids.length * dimensions);
    ids.push(id);
    if (ids.length === rowsMax) {
      yield { firstRow, rows: rowsMax, vectors, ids };
      firstRow += rowsMax;
      ids = [];
      vectors = new Float32Array(rowsMax * dimensions);
    }
  }
  if (ids.length > 0)
    yield { firstRow, rows: ids.length, vectors: vectors.slice(0, ids.length * dimensions), ids };
}

async function* linesOf(path: string): AsyncGenerator<Line> {
  const stream = createReadStream(path);
  let number = 0;
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      number += 1;
      if (text === "") continue;
      yield parseLine(`${path}:${number}`, text);
    }
  } finally {
    stream.destroy();
  }
}

function parseLine(place: string, text: string): Line {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new VectorFileError(`${place}: expected one JSON object a line, got ${text.slice(0, 40)}`);
  }
  const line = lineSchema.safeParse(json);
  if (!line.success)
    throw new VectorFileError(
      `${place}: expected {"id": string, "vector": number[]}: ${line.error.issues[0]?.message ?? ""}`,
    );
  return line.data;
}
