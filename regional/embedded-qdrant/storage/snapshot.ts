/** The whole catalog as one file. */
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Catalog } from "../catalog.ts";
import type { Collection } from "../collection.ts";
import type { Operation, StoredPoint } from "../operation.ts";
import { encodeOperation } from "./codec.ts";
import { encodeFrame } from "./frame.ts";
import { writeAll } from "./log-file.ts";

/** About a megabyte at 384 dimensions: requests are answered between two of them. */
const RECORD_POINTS = 512;

/** Resolves with the bytes written when the file has its name for good. */
export async function writeSnapshot(path: string, catalog: Catalog, version: number): Promise<number> {
  const handle = await open(`${path}.part`, "w");
  let bytes = 0;
  try {
    for (const collection of catalog.all()) {
      for (const operation of operationsOf(collection)) {
        const frame = encodeFrame(version, encodeOperation(operation));
        bytes += frame[0].length + frame[1].length;
        await writeAll(handle, frame);
      }
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.part`, path);
  await syncFolder(dirname(path));
  return bytes;
}

/** Makes names in the folder survive the death of the machine. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function* operationsOf(collection: Collection): Iterable<Operation> {
  const name = collection.name;
  yield { kind: "create", collection: name, config: collection.config };
  for (const [key, type] of collection.indexes) yield { kind: "index", collection: name, key, type };
  let points: StoredPoint[] = [];
  for (const id of collection.ids()) {
    const point = collection.get(id);
    if (point !== undefined)
      points.push({ id, payload: point.payload, dense: point.dense, sparse: point.sparse });
    if (points.length < RECORD_POINTS) continue;
    yield { kind: "upsert", collection: name, points };
    points = [];
  }
  if (points.length > 0) yield { kind: "upsert", collection: name, points };
}
