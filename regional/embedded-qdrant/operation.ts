/** One change of the server's state, as it is logged. */
import type { CollectionConfig, IndexType } from "./collection-config.ts";
import type { Json } from "./fields.ts";
import type { VacuumConfig } from "./vacuum.ts";
import type { Vectors } from "./vector-input.ts";

export interface StoredPoint extends Vectors {
  readonly id: string;
  readonly payload: Json;
}

/**
 * Applying one twice, or to a state that has seen later ones already, gives the same state after the last:
 * filters are resolved to ids and payload edits to whole payloads before an operation is made.
 */
export type Operation =
  | { readonly kind: "create"; readonly collection: string; readonly config: CollectionConfig }
  | { readonly kind: "configure"; readonly collection: string; readonly vacuum: VacuumConfig }
  | { readonly kind: "drop"; readonly collection: string }
  | { readonly kind: "index"; readonly collection: string; readonly key: string; readonly type: IndexType }
  | { readonly kind: "unindex"; readonly collection: string; readonly key: string }
  | { readonly kind: "upsert"; readonly collection: string; readonly points: readonly StoredPoint[] }
  | { readonly kind: "remove"; readonly collection: string; readonly ids: readonly string[] }
  | {
      readonly kind: "payload";
      readonly collection: string;
      readonly payloads: readonly (readonly [string, Json])[];
    };
