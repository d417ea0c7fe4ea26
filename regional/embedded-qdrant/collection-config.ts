/** What a collection was created with. */
import { booleanOf, integerOf, isJson, objectOf, onlyFields, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import { formatError, notImplemented, validationError } from "./qdrant-error.ts";
import { describeVacuum, VACUUM_DEFAULT, vacuumConfigOf, type VacuumConfig } from "./vacuum.ts";

/** Qdrant's own bound. */
const DIMENSIONS_MAX = 65_536;

export interface DenseConfig {
  /** Empty for the one vector without a name. */
  readonly name: string;
  readonly size: number;
  readonly distance: "Cosine" | "Dot";
}

export interface CollectionConfig {
  readonly dense: DenseConfig | null;
  /** Name of the sparse vector. */
  readonly sparse: string | null;
  readonly replicationFactor: number;
  readonly writeConsistencyFactor: number;
  readonly strict: { readonly retrieve: boolean; readonly update: boolean };
  /** Missing in files of before it could be told. */
  readonly vacuum?: VacuumConfig;
}

export const INDEX_TYPES = ["keyword", "integer", "float", "bool", "datetime", "uuid"] as const;
export type IndexType = (typeof INDEX_TYPES)[number];

/** Reads the body of `PUT /collections/{name}`. */
export function collectionConfigOf(body: Json): CollectionConfig {
  onlyFields(
    body,
    [
      "vectors",
      "sparse_vectors",
      "shard_number",
      "replication_factor",
      "write_consistency_factor",
      "on_disk_payload",
      "strict_mode_config",
      "optimizers_config",
    ],
    "a new collection",
  );
  const vectors = body["vectors"] ?? null;
  return {
    dense: vectors === null ? null : denseOf(objectOf(vectors, "enum VectorsConfig")),
    sparse: sparseOf(body["sparse_vectors"] ?? null),
    replicationFactor: integerOf(body, "replication_factor", { fallback: 1, min: 1 }),
    writeConsistencyFactor: integerOf(body, "write_consistency_factor", { fallback: 1, min: 1 }),
    strict: strictOf(body["strict_mode_config"] ?? null),
    vacuum: vacuumConfigOf(body["optimizers_config"], VACUUM_DEFAULT),
  };
}

function denseOf(vectors: Json): DenseConfig | null {
  if ("size" in vectors) return denseConfig("", vectors);
  const [first, ...more] = Object.entries(vectors);
  if (more.length > 0) throw notImplemented("several dense vectors in one collection");
  return first === undefined ? null : denseConfig(first[0], objectOf(first[1], "struct VectorParams"));
}

function denseConfig(name: string, source: Json): DenseConfig {
  onlyFields(source, ["size", "distance", "on_disk"], "a vector's parameters");
  const size = integerOf(source, "size", { fallback: 0, min: 1 });
  if (size > DIMENSIONS_MAX)
    throw validationError("vectors.size", `value ${size} invalid, must be from 1 to ${DIMENSIONS_MAX}`);
  const distance = textOf(source["distance"], "enum Distance");
  if (distance === "Euclid" || distance === "Manhattan") throw notImplemented(`the distance ${distance}`);
  if (distance !== "Cosine" && distance !== "Dot") {
    throw formatError(
      `unknown variant \`${distance}\`, expected one of \`Cosine\`, \`Euclid\`, \`Dot\`, \`Manhattan\``,
    );
  }
  return { name, size, distance };
}

function sparseOf(value: unknown): string | null {
  if (value === null) return null;
  const [first, ...more] = Object.entries(objectOf(value, "a map of sparse vectors"));
  if (more.length > 0) throw notImplemented("several sparse vectors in one collection");
  if (first === undefined) return null;
  const source = objectOf(first[1] ?? {}, "struct SparseVectorParams");
  onlyFields(source, ["index"], "a sparse vector's parameters");
  if (isJson(source["index"])) onlyFields(source["index"], ["on_disk"], "a sparse vector's index");
  return first[0];
}

function strictOf(value: unknown): CollectionConfig["strict"] {
  if (value === null) return { retrieve: false, update: false };
  const source = objectOf(value, "struct StrictModeConfig");
  onlyFields(
    source,
    ["enabled", "unindexed_filtering_retrieve", "unindexed_filtering_update"],
    "strict_mode_config",
  );
  const enabled = booleanOf(source, "enabled", false);
  return {
    retrieve: enabled && !booleanOf(source, "unindexed_filtering_retrieve", true),
    update: enabled && !booleanOf(source, "unindexed_filtering_update", true),
  };
}

export function indexTypeOf(value: unknown): IndexType {
  const text = isJson(value) ? value["type"] : value;
  if (isJson(value)) onlyFields(value, ["type", "on_disk", "lookup", "range"], "a payload index");
  const known = INDEX_TYPES.find((type) => type === text);
  if (known !== undefined) return known;
  if (text === "text" || text === "geo") throw notImplemented(`payload indexes of type ${text}`);
  throw formatError("data did not match any variant of untagged enum PayloadFieldSchema");
}

/** The `config` of a collection's description. */
export function describeConfig(config: CollectionConfig): Json {
  const { dense } = config;
  const params = dense === null ? null : { size: dense.size, distance: dense.distance };
  const strict = {
    enabled: true,
    unindexed_filtering_retrieve: !config.strict.retrieve,
    unindexed_filtering_update: !config.strict.update,
  };
  return {
    params: {
      vectors: dense === null ? {} : dense.name === "" ? params : { [dense.name]: params },
      ...(config.sparse === null ? {} : { sparse_vectors: { [config.sparse]: {} } }),
      shard_number: 1,
      replication_factor: config.replicationFactor,
      write_consistency_factor: config.writeConsistencyFactor,
      on_disk_payload: false,
    },
    hnsw_config: {
      m: 16,
      ef_construct: 100,
      full_scan_threshold: 10_000,
      max_indexing_threads: 0,
      on_disk: false,
    },
    optimizer_config: {
      ...describeVacuum(config.vacuum ?? VACUUM_DEFAULT),
      default_segment_number: 0,
      flush_interval_sec: 5,
    },
    wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0 },
    quantization_config: null,
    ...(config.strict.retrieve || config.strict.update ? { strict_mode_config: strict } : {}),
  };
}
