/** When Qdrant writes segments anew for the deleted points in them. */
import type { NodePool } from "./node-pool.ts";

/** The share of deleted points above which Qdrant writes a segment anew, of those that have so many points, deleted ones counted. */
export interface VacuumThresholds {
  readonly deleted_threshold: number;
  readonly vacuum_min_vector_number: number;
}

/** The least that Qdrant takes: its own, 1,000, would leave smaller segments as they are for ever. */
const VACUUM_MIN = 100;
/** Qdrant's own share: each rewriting builds an index anew, so it is not worth it for a point. */
export const VACUUM_AT_LEISURE: VacuumThresholds = {
  deleted_threshold: 0.2,
  vacuum_min_vector_number: VACUUM_MIN,
};
/** One deleted point is enough. */
export const VACUUM_NOW: VacuumThresholds = { deleted_threshold: 0, vacuum_min_vector_number: VACUUM_MIN };

/** Longer than the rewriting of any segment takes; a collection that says so long that it is optimized may be stuck. */
export const BUSY_MS_MAX = 24 * 60 * 60_000;

export interface VacuumOptions {
  readonly pool: NodePool;
  readonly now: () => number;
  readonly report: (message: string, details: object) => void;
}

/** Keeps nothing that Qdrant does not say: after a restart it finds what it left. */
export class Vacuum {
  readonly #options: VacuumOptions;
  /** Since when a node has said without a pause that it optimizes. */
  #busySinceMs: number | null = null;

  constructor(options: VacuumOptions) {
    this.#options = options;
  }

  /**
   * Resolves when Qdrant has the thresholds, or is left in peace with others.
   *
   * A new optimizer configuration stops the optimizers and starts others: hours of a rewriting that is under way would be lost, and
   * begun again. So it waits until no node says that it optimizes.
   */
  async want(wanted: VacuumThresholds, passages: string): Promise<void> {
    const { pool, now, report } = this.#options;
    const told = await pool.runOnEach((client) => client.getCollection(passages));
    const isBusy = told.some(({ status }) => status === "yellow");
    this.#busySinceMs = isBusy ? (this.#busySinceMs ?? now()) : null;
    if (told.every(({ config }) => isSame(config.optimizer_config, wanted))) return;
    const busyMs = this.#busySinceMs === null ? 0 : now() - this.#busySinceMs;
    if (isBusy && busyMs < BUSY_MS_MAX) return;
    if (isBusy)
      report("Qdrant's optimizers are started anew, although they have not come to an end", {
        collection: passages,
        busy_hours: Math.round(busyMs / 3_600_000),
      });
    await pool.run((client) => client.updateCollection(passages, { optimizers_config: wanted }));
    this.#busySinceMs = null;
  }
}

function isSame(
  told: { readonly deleted_threshold?: number | null; readonly vacuum_min_vector_number?: number | null },
  wanted: VacuumThresholds,
): boolean {
  return (
    told.deleted_threshold === wanted.deleted_threshold &&
    told.vacuum_min_vector_number === wanted.vacuum_min_vector_number
  );
}
