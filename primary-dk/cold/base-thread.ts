/** The thread in which a base is made. */
import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { deflateRawSync } from "node:zlib";
import { buildBase } from "@kattegat/engine/cold/base/build-base.ts";
import postgres from "postgres";
import { readScanner } from "../scanner.ts";
import { DocumentSeals } from "../sealing/document-seals.ts";
import { Keyring } from "../sealing/keyring.ts";
import { baseOrderSchema, type MadeBase } from "./base-order.ts";
import { BaseFolder } from "./folder.ts";
import { readStanding } from "./read-standing.ts";
import type { BaseFileRecord } from "./record.ts";

// Linux counts priority by thread (setpriority(2), "C library/kernel differences"); elsewhere the whole process would yield.
if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

const order = baseOrderSchema.parse(workerData);

async function make(): Promise<MadeBase> {
  const { key, model, dimensions } = order;
  const seals = new DocumentSeals(Keyring.open(order.keyring));
  const sql = postgres(order.databaseUrl, { max: 1, onnotice: () => {} });
  const standing = await readStanding(sql, { ...order, seals }).finally(() => sql.end({ timeout: 1 }));
  if (standing.spool.vectors.count === 0) return null;
  const folder = new BaseFolder(order.folder);
  const files: BaseFileRecord[] = [];
  await buildBase(standing.spool, {
    key,
    model,
    scanner: readScanner(),
    deflate: deflateRawSync,
    put: async (name, bytes) => {
      files.push(await folder.write(name, bytes));
    },
  });
  return { format: 1, key, model, dimensions, ...standing.source, files };
}

parentPort?.postMessage(await make(), []);
