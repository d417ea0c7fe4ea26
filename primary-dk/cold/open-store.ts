/** Wires the cold bases into the primary. */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { modelsOf, type Model } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type postgres from "postgres";
import type { KeyringPlace } from "../sealing/keyring.ts";
import type { Placements } from "../documents/placements.ts";
import type { Pacer } from "../pacer.ts";
import { loggable } from "../postgres/failure.ts";
import { BaseFolder } from "./folder.ts";
import { BaseUpkeep, type BaseUpkeepOptions } from "./rebase.ts";
import { sourceOf } from "./source.ts";
import { coldClasses } from "./standing.ts";
import { BaseStore } from "./store.ts";

export interface ColdOptions {
  /** The data folder of this site; bases rest in folders of it. */
  readonly folder: string;
  /** A tail of fewer passages stays in memory. */
  readonly basePassagesMin: number;
}

interface Options {
  readonly network: Network;
  readonly databaseUrl: string;
  readonly keyring: KeyringPlace;
  readonly cold?: ColdOptions;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** The base of the model that serves, and of the one that is being prepared; null where there is none. */
export interface BaseStores {
  readonly serving: BaseStore | null;
  readonly next: BaseStore | null;
}

export async function openStores(
  { network, cold, log }: Options,
  { sql, pacer }: { readonly sql: postgres.Sql; readonly pacer: Pacer },
): Promise<BaseStores> {
  if (cold === undefined) return { serving: null, next: null };
  const [serving, next] = modelsOf(network);
  const folders = foldersOf(cold);
  await settleFolders(folders, { serving, hasNext: next !== undefined });
  const source = await sourceOf(sql);
  const open = async (folder: string, { model, dimensions }: Model): Promise<BaseStore> =>
    await BaseStore.open({
      folder,
      model,
      dimensions,
      source,
      pacer,
      report: (error) =>
        log.error(
          loggable(error),
          "the base on the disk cannot be used; its documents are read from Postgres",
        ),
    });
  return {
    serving: serving === undefined ? null : await open(folders.serving, serving),
    next: next === undefined ? null : await open(folders.next, next),
  };
}

/** What was prepared for the model that serves now takes its place; what was prepared for nobody leaves the disk. */
async function settleFolders(
  { serving, next }: { readonly serving: string; readonly next: string },
  models: { readonly serving: Model | undefined; readonly hasNext: boolean },
): Promise<void> {
  const prepared = await new BaseFolder(next).published().catch(() => null);
  if (prepared !== null && prepared.model === models.serving?.model) {
    await rm(serving, { recursive: true, force: true });
    await rename(next, serving);
  } else if (!models.hasNext) await rm(next, { recursive: true, force: true });
}

export function createBaseUpkeep(
  role: keyof BaseStores,
  options: Options &
    Omit<BaseUpkeepOptions, "order" | "classes" | "basePassagesMin" | "limits" | "log"> & {
      readonly model: Model;
      readonly site: string;
      readonly placements: Placements;
    },
): BaseUpkeep {
  const { network, cold, databaseUrl, keyring, log } = options;
  if (cold === undefined) throw new TypeError("expected the options of a store that is open");
  const { model, dimensions } = options.model;
  const vectors = role === "serving" ? "dense" : "dense_next";
  return new BaseUpkeep({
    ...options,
    order: { databaseUrl, keyring, folder: foldersOf(cold)[role], model, dimensions, vectors },
    classes: () => coldClasses(network, options),
    basePassagesMin: cold.basePassagesMin,
    limits: network.limits,
    log: (fields, message) => log.info(fields, message),
  });
}

function foldersOf({ folder }: ColdOptions): Readonly<Record<keyof BaseStores, string>> {
  return { serving: join(folder, "cold"), next: join(folder, "cold-next") };
}
