/** The collections of a regional site in its Qdrant cluster. */
import type { Model } from "@kattegat/config/models.ts";
import type { Site } from "@kattegat/config/network.ts";
import { editionName } from "@kattegat/engine/embedding/edition.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { QdrantClient } from "@qdrant/js-client-rest";
import { MODEL_POINT_ID } from "./point-id.ts";
import { statusOf } from "./fault.ts";
import type { NodePool } from "./node-pool.ts";
import { VACUUM_AT_LEISURE } from "./vacuum.ts";

/** The collections of one edition. */
export interface Collections {
  readonly passages: string;
  /** Watermark with tombstones: no vectors. */
  readonly meta: string;
}

const PASSAGES = "kattegat_passages";
const META = "kattegat_meta";
/** From before there were editions: they are of the model that they note. */
const FORMER: Collections = { passages: PASSAGES, meta: META };
/** The part of Qdrant's client that keeps copies. */
export type PointStore = Pick<QdrantClient, "retrieve" | "upsert" | "batchUpdate" | "delete">;

/** Where a site's copies are kept. */
export interface Copies {
  run<T>(work: (points: PointStore, collections: Collections) => Promise<T>, withinMs?: number): Promise<T>;
}

export const DENSE = "dense";
export const LEXICAL = "lexical";

type IndexType = "keyword" | "integer" | "datetime";

/** What searches filter by at every request; metadata has no indexes, because its keys are the users'. */
const PASSAGE_INDEXES: Readonly<Record<string, IndexType>> = {
  document_id: "keyword",
  residency: "keyword",
  collection: "keyword",
  lang: "keyword",
  tier: "keyword",
  ordinal: "integer",
  published_at: "datetime",
};
const META_INDEXES: Readonly<Record<string, IndexType>> = { kind: "keyword", sequence_number: "integer" };

export interface SchemaOptions {
  readonly pool: NodePool;
  /** Of the vectors in this edition. */
  readonly model: Model;
  readonly site: Site;
}

export class Schema {
  readonly #options: SchemaOptions;
  /** Hears that the collections were gone, so that nothing that was known of them holds. */
  lost: () => void = () => {};
  #made: Promise<Collections> | null = null;

  constructor(options: SchemaOptions) {
    this.#options = options;
  }

  /** Resolves when both collections are there, with their names; a failure is tried again at the next call. */
  ensure(): Promise<Collections> {
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = null;
      throw error;
    });
    return this.#made;
  }

  /**
   * Runs `work` against collections that exist.
   *
   * @throws {KattegatError} `unavailable` also when a collection has vanished: it is made again at the next call.
   */
  async run<T>(
    work: (client: QdrantClient, collections: Collections) => Promise<T>,
    withinMs?: number,
  ): Promise<T> {
    const collections = await this.ensure();
    const { pool } = this.#options;
    try {
      return await pool.run(
        (client) => work(client, collections),
        withinMs === undefined ? {} : { withinMs },
      );
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      this.#made = null;
      this.lost();
      throw new KattegatError(
        "unavailable",
        "The site's collections are gone from Qdrant; they are made again.",
        { cause: error },
      );
    }
  }

  async #make(): Promise<Collections> {
    const { model, site, pool } = this.#options;
    const isFormer = (await modelIn(pool, META)) === model.model;
    const collections = isFormer ? FORMER : collectionsOf(model);
    const factors = {
      replication_factor: site.qdrant?.replication_factor ?? 1,
      write_consistency_factor: site.qdrant?.write_consistency_factor ?? 1,
    };
    const size = model.dimensions;
    const passages = {
      vectors: { [DENSE]: { size, distance: "Cosine" as const } },
      sparse_vectors: { [LEXICAL]: {} },
      optimizers_config: VACUUM_AT_LEISURE,
      ...factors,
    };
    await this.#create(collections.passages, passages);
    await this.#create(collections.meta, { vectors: {}, ...factors });
    await this.#expectSize(collections, size);
    await this.#index(collections.passages, PASSAGE_INDEXES);
    await this.#index(collections.meta, META_INDEXES);
    await this.#agreeOnModel(collections);
    return collections;
  }

  /** Equal dimensions do not make vectors comparable, so the collections say whose theirs are from the first start on. */
  async #agreeOnModel({ passages, meta }: Collections): Promise<void> {
    const { pool } = this.#options;
    const { model, dimensions } = this.#options.model;
    const found = await modelIn(pool, meta);
    if (found === model) return;
    if (found === null) {
      const noted = { id: MODEL_POINT_ID, vector: {}, payload: { kind: "model", model, dimensions } };
      await pool.run((client) => client.upsert(meta, { wait: true, ordering: "strong", points: [noted] }));
      return;
    }
    throw new KattegatError(
      "not_ready",
      `Expected vectors of ${model} as the network file says, found those of ${found}: delete ${passages} and ${meta} so that they are filled again.`,
    );
  }

  /** Qdrant may answer 500 ("consensus operation commit failed") to a creation that succeeds later, and 409 to the loser of two. */
  async #create(name: string, config: Parameters<QdrantClient["createCollection"]>[1]): Promise<void> {
    const { pool } = this.#options;
    const exists = (): Promise<boolean> =>
      pool.run(async (client) => (await client.collectionExists(name)).exists);
    if (await exists()) return;
    try {
      await pool.run((client) => client.createCollection(name, config));
    } catch (error) {
      if (!(await exists())) throw error;
    }
  }

  async #expectSize({ passages }: Collections, size: number): Promise<void> {
    const info = await this.#options.pool.run((client) => client.getCollection(passages));
    const vectors = info.config.params.vectors;
    const found = vectors !== undefined && DENSE in vectors ? vectors[DENSE] : undefined;
    const foundSize = typeof found === "object" && "size" in found ? found.size : null;
    if (foundSize === size) return;
    throw new KattegatError(
      "not_ready",
      `Expected ${passages} with vectors of ${size} dimensions as the network file says, found ${String(foundSize)}: delete the collection so that it is filled again.`,
    );
  }

  async #index(name: string, wanted: Readonly<Record<string, IndexType>>): Promise<void> {
    const { pool } = this.#options;
    const info = await pool.run((client) => client.getCollection(name));
    for (const [key, type] of Object.entries(wanted)) {
      if (key in info.payload_schema) continue;
      await pool.run((client) =>
        client.createPayloadIndex(name, { field_name: key, field_schema: type, wait: true }),
      );
    }
  }
}

function collectionsOf(model: Model): Collections {
  const edition = editionName(model);
  return { passages: `${PASSAGES}_${edition}`, meta: `${META}_${edition}` };
}

/** Resolves with the model that a collection of watermarks notes; null when it is not there, or notes none. */
async function modelIn(pool: NodePool, meta: string): Promise<string | null> {
  const { exists } = await pool.run((client) => client.collectionExists(meta));
  if (!exists) return null;
  const [point] = await pool.run((client) =>
    client.retrieve(meta, { ids: [MODEL_POINT_ID], with_payload: ["model"] }),
  );
  const model = point?.payload?.["model"];
  return typeof model === "string" ? model : null;
}

/** Collections of copies with the model that they note, whether or not the network file names it. */
export interface FoundEdition {
  readonly collections: Collections;
  readonly model: string | null;
}

export async function editionsIn(pool: NodePool): Promise<readonly FoundEdition[]> {
  const { collections } = await pool.run((client) => client.getCollections());
  const names = collections.map(({ name }) => name).filter((name) => name.startsWith(PASSAGES));
  return await Promise.all(
    names.map(async (passages) => {
      const meta = passages.replace(PASSAGES, META);
      return { collections: { passages, meta }, model: await modelIn(pool, meta) };
    }),
  );
}

/**
 * Resolves with the models whose collections are gone: those of none of the models kept.
 *
 * The watermark's collection goes last, since it says whose the other is: a deletion that ends in between is finished by the next.
 */
export async function dropEditions(pool: NodePool, kept: readonly string[]): Promise<readonly string[]> {
  const { collections } = await pool.run((client) => client.getCollections());
  const dropped: string[] = [];
  for (const { name: meta } of collections.filter(({ name }) => name.startsWith(META))) {
    const model = await modelIn(pool, meta);
    if (model === null || kept.includes(model)) continue;
    const passages = meta.replace(META, PASSAGES);
    for (const name of [passages, meta]) await pool.run((client) => client.deleteCollection(name));
    dropped.push(model);
  }
  return dropped;
}
