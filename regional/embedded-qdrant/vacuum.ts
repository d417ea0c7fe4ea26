/** When a collection's deleted points leave the files. */
import { isJson, integerOf, numberOf, objectOf, onlyFields, type Json } from "./fields.ts";
import { validationError } from "./qdrant-error.ts";

/** Of `optimizers_config`. */
export interface VacuumConfig {
  /** More than this share of the points has to be deleted. */
  readonly deletedThreshold: number;
  /** Fewer points, deleted ones counted, are never vacuumed. */
  readonly vectorsMin: number;
}

/** Qdrant's own. */
export const VACUUM_DEFAULT: VacuumConfig = { deletedThreshold: 0.2, vectorsMin: 1_000 };
/** Qdrant refuses less. */
const VECTORS_MIN = 100;

/** Reads `optimizers_config`; what it does not say is as before. */
export function vacuumConfigOf(value: unknown, before: VacuumConfig): VacuumConfig {
  if (value === undefined || value === null) return before;
  const source = objectOf(value, "struct OptimizersConfigDiff");
  onlyFields(source, ["deleted_threshold", "vacuum_min_vector_number"], "optimizers_config");
  const deletedThreshold = numberOf(source, "deleted_threshold", before.deletedThreshold);
  if (deletedThreshold < 0 || deletedThreshold > 1)
    throw validationError(
      "optimizers_config.deleted_threshold",
      `value ${deletedThreshold} invalid, must be from 0.0 to 1.0`,
    );
  const vectorsMin = integerOf(source, "vacuum_min_vector_number", {
    fallback: before.vectorsMin,
    min: VECTORS_MIN,
  });
  return { deletedThreshold, vectorsMin };
}

export function describeVacuum({ deletedThreshold, vectorsMin }: VacuumConfig): Json {
  return { deleted_threshold: deletedThreshold, vacuum_min_vector_number: vectorsMin };
}

/** As Qdrant decides it for a segment (its `VacuumOptimizer`): the share alone, the size alone, are not enough. */
export function isVacuumDue(
  { deletedThreshold, vectorsMin }: VacuumConfig,
  { points, deleted }: { readonly points: number; readonly deleted: number },
): boolean {
  const total = points + deleted;
  return total >= vectorsMin && deleted / total > deletedThreshold;
}

/** The body of `PATCH /collections/{name}`. */
export function updatedVacuum(body: Json, before: VacuumConfig): VacuumConfig {
  onlyFields(body, ["optimizers_config"], "a collection's update");
  return isJson(body["optimizers_config"]) ? vacuumConfigOf(body["optimizers_config"], before) : before;
}
