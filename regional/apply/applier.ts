/** Applies batches of changes to a regional site. */
import type { Model } from "@kattegat/config/models.ts";
import type { Network, Site } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { assertReached } from "@kattegat/protocol/batch-place.ts";
import type { ApplyRequest, ApplyResponse, DocumentRecord } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { PassageVectors } from "../qdrant/passage-vectors.ts";
import { vectorsOf } from "../qdrant/passage-vectors.ts";
import type { Copies } from "../qdrant/schema.ts";
import { readHoldings } from "./holdings.ts";
import { planOf } from "./plan.ts";
import type { Outcome, Refusal } from "./plan.ts";
import type { Watermark } from "./watermark.ts";
import { writeOutcomes } from "./writes.ts";

/**
 * How many changes a tombstone outlives its own: a put that is later than that is taken for withdrawn. Parked changes are
 * tried again within hours, and a busy network makes a few hundred thousand changes in them.
 */
const TOMBSTONE_CHANGES_MAX = 1_000_000n;
/** Between two batches of a stream that has changes to bring. */
const BUSY_MS = 1_000;
/** Pruning reads the whole index of tombstones, so it is done once in so many batches. */
const PRUNE_BATCHES = 1_000;

/** How long tombstones are kept. */
export interface TombstoneLimits {
  readonly changesMax: bigint;
  readonly pruneBatches: number;
}
export const TOMBSTONE_LIMITS: TombstoneLimits = {
  changesMax: TOMBSTONE_CHANGES_MAX,
  pruneBatches: PRUNE_BATCHES,
};

export interface ApplierOptions {
  readonly network: Network;
  /** Of the vectors in this edition. */
  readonly model: Model;
  readonly site: Site;
  readonly schema: Copies;
  readonly watermark: Watermark;
  readonly tombstones: TombstoneLimits;
  readonly now: () => number;
  /** Hears what was stored, before the watermark says so. */
  readonly stored?: (outcomes: readonly Outcome[]) => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  #last: Promise<unknown> = Promise.resolve();
  #batches = 0;
  #waiting = 0;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** One batch at a time: two at once could each find the other's document missing. */
  apply(request: ApplyRequest): Promise<ApplyResponse> {
    this.#waiting += 1;
    const done = this.#last.then(() => this.#apply(request));
    this.#last = done.catch(() => {});
    const ended = (): void => {
      this.#waiting -= 1;
      this.#endedMs = this.#options.now();
    };
    void done.then(ended, ended);
    return done;
  }

  /** Whether changes are being applied, or were a moment ago: then the next ones are on their way. */
  isBusy(): boolean {
    return this.#waiting > 0 || this.#options.now() - this.#endedMs < BUSY_MS;
  }

  async #apply(request: ApplyRequest): Promise<ApplyResponse> {
    const { schema, watermark } = this.#options;
    const { model } = this.#options.model;
    if (request.head.model !== model)
      throw new KattegatError(
        "not_ready",
        `Expected changes of the model ${model}, as the network file says; the log's are of ${request.head.model.slice(0, 128)}.`,
      );
    const ids = new Set(
      request.changes.flatMap((change) => (change.kind === "skip" ? [] : [change.document_id])),
    );
    const [position, holdings] = await Promise.all([watermark.read(), readHoldings(schema, [...ids])]);
    if (request.watermark.epoch < position.watermark.epoch) {
      throw new KattegatError(
        "stale_epoch",
        `Expected changes of epoch ${position.watermark.epoch} or later, got ${request.watermark.epoch}.`,
      );
    }
    assertReached(position.watermark, { after: request.after, to: request.watermark, place: "the site" });
    const vectors = new Map<DocumentRecord, readonly PassageVectors[]>();
    const horizonSequence = horizonOf(position.watermark.sequence, this.#options.tombstones);
    const plan = planOf(request.changes, {
      holdings,
      watermark: position.watermark,
      horizonSequence,
      refusal: (document) => this.#refusal(document, vectors),
    });
    await writeOutcomes(schema, plan.outcomes, ({ document }) =>
      document === null ? [] : (vectors.get(document) ?? []),
    );
    this.#options.stored?.(plan.outcomes);
    const stored = await watermark.advance(
      {
        watermark: request.watermark,
        watermark_at: request.watermark_at,
        head_sequence: request.head.sequence,
        whole_at: request.head.whole_at ?? position.whole_at ?? null,
      },
      request.after,
    );
    await this.#pruneNowAndThen(horizonSequence);
    return { watermark: stored.watermark, refused: plan.refused.map((refusal) => ({ ...refusal })) };
  }

  #refusal(
    document: DocumentRecord,
    vectors: Map<DocumentRecord, readonly PassageVectors[]>,
  ): Omit<Refusal, "sequence"> | null {
    const { network, model, site } = this.#options;
    if (!mayHold(network, document.residency, site)) {
      return {
        code: "residency_refused",
        detail: `${site.id} may not hold documents of class ${document.residency}.`,
      };
    }
    const good: PassageVectors[] = [];
    for (const [index, passage] of document.passages.entries()) {
      if (passage.ordinal !== index + 1)
        return { code: "bad_request", detail: `Expected passage ${index + 1}, got ${passage.ordinal}.` };
      const found = vectorsOf(passage, model.dimensions);
      if (typeof found === "string")
        return { code: "bad_vector", detail: `Passage ${passage.ordinal}: ${found}.` };
      good.push(found);
    }
    vectors.set(document, good);
    return null;
  }

  async #pruneNowAndThen(horizonSequence: string): Promise<void> {
    this.#batches += 1;
    if (this.#batches % this.#options.tombstones.pruneBatches !== 0 || horizonSequence === "0") return;
    const filter = {
      must: [
        { key: "kind", match: { value: "tombstone" } },
        { key: "sequence_number", range: { lt: Number(horizonSequence) } },
      ],
    };
    await this.#options.schema.run((client, { meta }) =>
      client.delete(meta, { wait: true, ordering: "strong", filter }),
    );
  }
}

function horizonOf(sequence: string, { changesMax }: TombstoneLimits): string {
  const horizon = BigInt(sequence) - changesMax;
  return horizon > 0n ? String(horizon) : "0";
}
