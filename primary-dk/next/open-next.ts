/** Wires the model that is being prepared into the primary. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type postgres from "postgres";
import { createBaseUpkeep, type BaseStores } from "../cold/open-store.ts";
import type { BaseUpkeep } from "../cold/rebase.ts";
import { rewriteWhenDue, settleModels } from "../embedding/model-of-record.ts";
import { loggable } from "../postgres/failure.ts";
import type { PrimaryOptions } from "../primary.ts";
import type { LiveMemory } from "../search/live-memory.ts";
import { createNextEmbedder, type NextEmbedder } from "./next-embedder.ts";
import { NextEdition, type NextEditionOptions } from "./next-edition.ts";
import { NextVectors, type NextVectorsOptions } from "./next-vectors.ts";

/** @throws {ModelMismatchError} when another model embedded the data. */
export async function agreeOnModels(
  sql: postgres.Sql,
  { network, log }: { readonly network: Network; readonly log: PrimaryOptions["log"] },
): Promise<void> {
  const { adopted, abandoned, begun } = await settleModels(sql, network.embedding);
  if (adopted !== null) log.info({ model: adopted }, "the model that was prepared serves from now on");
  if (abandoned !== null) log.info({ model: abandoned }, "what was prepared for a model is dropped");
  if (begun !== null) log.info({ model: begun }, "a model to come is being prepared");
  try {
    if (await rewriteWhenDue(sql)) log.info({}, "vectors of a model that is gone have left the disk");
  } catch (error) {
    log.error(
      loggable(error),
      "passages could not be rewritten without dropped vectors; the next start tries again",
    );
  }
}

/** Null without a model that is being prepared. */
export function nextEmbedderIn({
  nextEmbedder: embedder,
  now,
  log,
}: Pick<PrimaryOptions, "nextEmbedder" | "now" | "log">): NextEmbedder | null {
  if (embedder === null) return null;
  return createNextEmbedder({
    embedder,
    now,
    failed: (error) => log.error(loggable(error), "the model to come gives no vectors; they are made later"),
  });
}

export async function openNext(
  embedder: NextEmbedder,
  options: Omit<NextEditionOptions, "model" | "vectors" | "store" | "basePassagesMin" | "failed"> &
    Omit<NextVectorsOptions, "embedder"> &
    Pick<PrimaryOptions, "cold" | "log"> & { readonly stores: BaseStores },
): Promise<NextEdition> {
  const [, model] = modelsOf(options.network);
  if (model === undefined || model.model !== embedder.model)
    throw new TypeError("expected an embedder of the network's next model");
  const vectors = await NextVectors.open({ ...options, embedder });
  const { next: store } = options.stores;
  return new NextEdition({
    ...options,
    model,
    vectors,
    store,
    basePassagesMin: options.cold?.basePassagesMin ?? Infinity,
    failed: (error) =>
      options.log.error(loggable(error), "the index of the model to come failed; it is made anew"),
  });
}

export function baseUpkeepsOf(
  stores: BaseStores,
  options: Omit<Parameters<typeof createBaseUpkeep>[1], "store" | "index" | "alone" | "model"> & {
    readonly live: LiveMemory;
    readonly next: NextEdition | null;
  },
): { readonly baseUpkeep: BaseUpkeep | null; readonly nextBaseUpkeep: BaseUpkeep | null } {
  const { network, live, next } = options;
  const [serving] = modelsOf(network);
  return {
    baseUpkeep:
      stores.serving === null || serving === undefined
        ? null
        : createBaseUpkeep("serving", {
            ...options,
            model: serving,
            store: stores.serving,
            index: () => live.memory.index,
            alone: (work) => live.alone(work),
          }),
    nextBaseUpkeep:
      stores.next === null || next === null
        ? null
        : createBaseUpkeep("next", {
            ...options,
            model: next.model,
            store: stores.next,
            index: () => next.index,
            alone: (work) => next.alone(work),
          }),
  };
}
