/** The collections of a regional site in its Qdrant cluster. */
import type { Network, Site } from "@kattegat/config/network.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { QdrantClient } from "@qdrant/js-client-rest";
import { MODEL_POINT_ID } from "./point-id.ts";
import { statusOf } from "./fault.ts";
import type { NodePool } from "./node-pool.ts";

export const PASSAGES = "kattegat_passages";
/** Watermark with tombstones: no vectors. */
export const META = "kattegat_meta";
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
  readonly network: Network;
  readonly site: Site;
}

export class Schema {
  readonly #options: SchemaOptions;
  #made: Promise<void> | null = null;

  constructor(options: SchemaOptions) {
    this.#options = options;
  }

  /** Resolves when both collections are there; a failure is tried again at the next call. */
  ensure(): Promise<void> {
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
  async run<T>(work: (client: QdrantClient) => Promise<T>, withinMs?: number): Promise<T> {
    await this.ensure();
    try {
      return await this.#options.pool.run(work, withinMs === undefined ? {} : { withinMs });
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      this.#made = null;
      throw new KattegatError(
        "unavailable",
        "The site's collections are gone from Qdrant; they are made again.",
        { cause: error },
      );
    }
  }

  async #make(): Promise<void> {
    const { network, site } = this.#options;
    const factors = {
      replication_factor: site.qdrant?.replication_factor ?? 1,
      write_consistency_factor: site.qdrant?.write_consistency_factor ?? 1,
    };
    const size = network.embedding.dimensions;
    const passages = {
      vectors: { [DENSE]: { size, distance: "Cosine" as const } },
      sparse_vectors: { [LEXICAL]: {} },
      ...factors,
    };
    await this.#create(PASSAGES, passages);
    await this.#create(META, { vectors: {}, ...factors });
    await this.#expectSize(size);
    await this.#index(PASSAGES, PASSAGE_INDEXES);
    await this.#index(META, META_INDEXES);
    await this.#agreeOnModel();
  }

  /** Equal dimensions do not make vectors comparable, so the collections say whose theirs are from the first start on. */
  async #agreeOnModel(): Promise<void> {
    const { network, pool } = this.#options;
    const { model } = network.embedding;
    const [point] = await pool.run((client) =>
      client.retrieve(META, { ids: [MODEL_POINT_ID], with_payload: ["model"] }),
    );
    if (point === undefined) {
      const noted = { id: MODEL_POINT_ID, vector: {}, payload: { kind: "model", model } };
      await pool.run((client) => client.upsert(META, { wait: true, ordering: "strong", points: [noted] }));
      return;
    }
    const found = point.payload?.["model"];
    if (found === model) return;
    throw new KattegatError(
      "not_ready",
      `Expected vectors of ${model} as the network file says, found those of ${String(found)}: delete ${PASSAGES} and ${META} so that they are filled again.`,
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

  async #expectSize(size: number): Promise<void> {
    const info = await this.#options.pool.run((client) => client.getCollection(PASSAGES));
    const vectors = info.config.params.vectors;
    const found = vectors !== undefined && DENSE in vectors ? vectors[DENSE] : undefined;
    const foundSize = typeof found === "object" && "size" in found ? found.size : null;
    if (foundSize === size) return;
    throw new KattegatError(
      "not_ready",
      `Expected ${PASSAGES} with vectors of ${size} dimensions as the network file says, found ${String(foundSize)}: delete the collection so that it is filled again.`,
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
