/** Wires the cold base into the primary. */
import { join } from "node:path";
import type { Network } from "@kattegat/config/network.ts";
import type postgres from "postgres";
import type { Placements } from "../documents/placements.ts";
import type { Pacer } from "../pacer.ts";
import { loggable } from "../postgres/failure.ts";
import type { LiveMemory } from "../search/live-memory.ts";
import { BaseUpkeep } from "./rebase.ts";
import { sourceOf } from "./source.ts";
import { coldClasses } from "./standing.ts";
import { BaseStore } from "./store.ts";

export interface ColdOptions {
  /** The data folder of this site; bases rest in a folder of it. */
  readonly folder: string;
  /** A tail of fewer passages stays in memory. */
  readonly basePassagesMin: number;
}

interface Options {
  readonly network: Network;
  readonly databaseUrl: string;
  readonly cold?: ColdOptions;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** Resolves with null when no folder is given. */
export async function openStore(
  { network, cold, log }: Options,
  { sql, pacer }: { readonly sql: postgres.Sql; readonly pacer: Pacer },
): Promise<BaseStore | null> {
  if (cold === undefined) return null;
  const { model, dimensions } = network.embedding;
  return await BaseStore.open({
    folder: folderOf(cold),
    model,
    dimensions,
    source: await sourceOf(sql),
    pacer,
    report: (error) =>
      log.error(loggable(error), "the base on the disk cannot be used; its documents are read from Postgres"),
  });
}

export function createBaseUpkeep(
  store: BaseStore,
  options: Options & {
    readonly site: string;
    readonly live: LiveMemory;
    readonly placements: Placements;
    readonly sql: postgres.Sql;
    readonly pacer: Pacer;
    readonly now: () => number;
    readonly newId: () => string;
  },
): BaseUpkeep {
  const { network, cold, databaseUrl, log } = options;
  if (cold === undefined) throw new TypeError("expected the options of a store that is open");
  const { model, dimensions } = network.embedding;
  return new BaseUpkeep({
    ...options,
    store,
    order: { databaseUrl, folder: folderOf(cold), model, dimensions },
    classes: () => coldClasses(network, options),
    basePassagesMin: cold.basePassagesMin,
    log: (fields, message) => log.info(fields, message),
  });
}

function folderOf({ folder }: ColdOptions): string {
  return join(folder, "cold");
}
