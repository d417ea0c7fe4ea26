/** What the server tells of its segments: how many of their points are deleted but still in the files. */
import { v5 } from "uuid";
import type { Collection } from "./collection.ts";
import { describeConfig } from "./collection-config.ts";
import type { Json } from "./fields.ts";
import type { QdrantRequest } from "./request.ts";

/** Any will do, as long as it stays. */
const NAMESPACE = "0d6e4a0c-7b0f-5a1e-8c55-3f5b1f1f8d21";
/** Qdrant tells of segments from here on. */
const SEGMENTS_LEVEL = 4;

/** `GET /telemetry`, the part about collections. */
export function telemetry(request: QdrantRequest): Json {
  request.onlyQuery(["details_level", "timeout"]);
  const { catalog, store } = request.engine;
  const hasSegments = Number(request.query("details_level") ?? 0) >= SEGMENTS_LEVEL;
  const collections = catalog.all();
  return {
    id: v5("server", NAMESPACE),
    app: { name: "qdrant", version: "1.19.0" },
    collections: {
      number_of_collections: collections.length,
      collections: collections.map((collection) => ({
        id: collection.name,
        init_time_ms: 0,
        config: describeConfig(collection.config),
        shards: [
          {
            id: 0,
            key: null,
            local: {
              variant_name: "local shard",
              status: "green",
              total_optimized_points: 0,
              segments: hasSegments ? [segmentOf(collection, store.generation)] : null,
            },
            remote: [],
            replicate_states: { "0": "Active" },
          },
        ],
      })),
    },
  };
}

/** One segment a collection: what the files of this generation hold of it. */
function segmentOf(collection: Collection, generation: number): Json {
  const { name, size, deleted } = collection;
  return {
    info: {
      uuid: v5(`${name}/${generation}`, NAMESPACE),
      segment_type: "plain",
      num_vectors: size,
      num_points: size,
      num_indexed_vectors: 0,
      num_deleted_vectors: deleted,
      vectors_size_bytes: 0,
      payloads_size_bytes: 0,
      ram_usage_bytes: 0,
      disk_usage_bytes: 0,
      is_appendable: true,
      index_schema: {},
      vector_data: {},
    },
  };
}
