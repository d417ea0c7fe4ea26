/** Qdrant's points as a regional keeps them, in memory. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { z } from "zod";
import type { Collections, Copies, PointStore } from "@kattegat/regional/qdrant/schema.ts";

export type Payload = Readonly<Record<string, unknown>>;

export const COLLECTIONS: Collections = { passages: "passages", meta: "meta" };

/** Payloads by id: vectors change nothing of what is shown here. */
export interface PointTable {
  readonly passages: Map<string, Payload>;
  readonly meta: Map<string, Payload>;
}

export function emptyTable(): PointTable {
  return { passages: new Map(), meta: new Map() };
}

export function copyOfTable({ passages, meta }: PointTable): PointTable {
  return { passages: new Map(passages), meta: new Map(meta) };
}

const DONE = { operation_id: 0, status: "completed" } as const;

/** The operations that the applier uses; others are a mistake here. */
export function pointStoreOf(
  table: () => PointTable,
  options: {
    readonly changed: () => void;
    /** Comes before each part of an operation that has several: a process may die between them. */
    readonly between: () => Promise<void>;
  },
): PointStore {
  const { changed, between } = options;
  const pointsOf = (name: string): Map<string, Payload> =>
    name === COLLECTIONS.meta ? table().meta : table().passages;
  const upsert = (name: string, operation: object): void => {
    if (!("points" in operation) || !Array.isArray(operation.points)) throw unexpected(operation);
    for (const { id, payload } of operation.points) pointsOf(name).set(id, payload);
    changed();
  };
  const remove = (name: string, selector: object): void => {
    if ("points" in selector && Array.isArray(selector.points)) {
      for (const id of selector.points) pointsOf(name).delete(id);
    } else if ("filter" in selector && name === COLLECTIONS.passages) {
      const { ids, kept } = documentsOf(selector.filter);
      for (const [id, { document_id }] of pointsOf(name))
        if (ids.has(document_id) && !kept.has(id)) pointsOf(name).delete(id);
    } else if ("filter" in selector) {
      const below = horizonOf(selector.filter);
      for (const [id, { sequence_number }] of pointsOf(name))
        if (typeof sequence_number === "number" && sequence_number < below) pointsOf(name).delete(id);
    } else throw unexpected(selector);
    changed();
  };
  return {
    retrieve(name, { ids }) {
      const found = ids.flatMap((id) => {
        const payload = pointsOf(name).get(String(id));
        return payload === undefined ? [] : [{ id, payload: { ...payload } }];
      });
      return Promise.resolve(found);
    },
    upsert(name, operation) {
      upsert(name, operation);
      return Promise.resolve(DONE);
    },
    delete(name, selector) {
      remove(name, selector);
      return Promise.resolve(DONE);
    },
    async batchUpdate(name, { operations }) {
      const whole = table();
      for (const operation of operations) {
        await between();
        if (table() !== whole) throw new KattegatError("unavailable", "The collection is gone from Qdrant.");
        if ("upsert" in operation) upsert(name, operation.upsert);
        else if ("delete" in operation) remove(name, operation.delete);
        else throw unexpected(operation);
      }
      return operations.map(() => DONE);
    },
  };
}

const doubtSchema = z.object({
  must: z.tuple([z.object({ match: z.object({ any: z.array(z.string()) }) })]),
  must_not: z.tuple([z.object({ has_id: z.array(z.string()) })]).optional(),
});

/** Of passages it removes by one filter alone: the documents whose notes it doubts, but for the points just written. */
function documentsOf(filter: unknown): { readonly ids: Set<unknown>; readonly kept: Set<string> } {
  const { must, must_not } = doubtSchema.parse(filter);
  return { ids: new Set(must[0].match.any), kept: new Set(must_not?.[0].has_id) };
}

/** Of tombstones the applier prunes by one filter alone: `sequence_number` below its horizon. */
function horizonOf(filter: unknown): number {
  const found = /"lt":(\d+)/.exec(JSON.stringify(filter));
  if (found === null) throw unexpected(filter);
  return Number(found[1]);
}

function unexpected(operation: unknown): TypeError {
  return new TypeError(`the simulation's points know no ${JSON.stringify(operation)}`);
}

/**
 * Points of which each operation may take time, during which the process may die, or the collections vanish.
 *
 * Vanished ones are found missing by the next operation, and are made again by the one after it.
 */
export function copiesOver(
  points: PointStore,
  options: { readonly before: () => Promise<void>; readonly hasVanished: () => boolean },
): Copies & { lost: () => void } {
  const copies = {
    lost: (): void => undefined,
    async run<T>(work: (points: PointStore, collections: Collections) => Promise<T>): Promise<T> {
      await options.before();
      if (options.hasVanished()) {
        copies.lost();
        throw new KattegatError("unavailable", "The site's collections are gone from Qdrant.");
      }
      return work(points, COLLECTIONS);
    },
  };
  return copies;
}
