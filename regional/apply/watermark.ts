/** How far a site is, kept beside its data. */
import {
  SEQUENCE_ZERO,
  compareFences,
  fenceSchema,
  FENCE_ZERO,
  sequenceSchema,
} from "@kattegat/protocol/sequence.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { assertReached } from "@kattegat/protocol/batch-place.ts";
import { z } from "zod";
import { WATERMARK_POINT_ID } from "../qdrant/point-id.ts";
import type { Copies } from "../qdrant/schema.ts";

const positionSchema = z.object({
  watermark: fenceSchema,
  watermark_at: z.string().nullable(),
  head_sequence: sequenceSchema,
  /** Of a model that is being prepared: from this sequence on the copies are whole. */
  whole_at: sequenceSchema.nullish(),
});
/** The watermark with the head of the log as it was last told. */
export type Position = Readonly<z.infer<typeof positionSchema>>;

const NOWHERE: Position = { watermark: FENCE_ZERO, watermark_at: null, head_sequence: SEQUENCE_ZERO };

export class Watermark {
  readonly #schema: Copies;
  readonly #now: () => number;
  #position: Position | null = null;
  #behindSinceMs: number | null = null;

  constructor(schema: Copies & { lost: () => void }, now: () => number) {
    this.#schema = schema;
    this.#now = now;
    schema.lost = () => {
      this.#position = null;
    };
  }

  /** As last read or written; null before the first. */
  get known(): Position | null {
    return this.#position;
  }

  async read(withinMs?: number): Promise<Position> {
    const [point] = await this.#schema.run(
      (client, { meta }) => client.retrieve(meta, { ids: [WATERMARK_POINT_ID], with_payload: true }),
      withinMs,
    );
    const stored = point === undefined ? NOWHERE : positionSchema.parse(point.payload);
    // A read may be overtaken by a write of this process.
    if (this.#position === null || compareFences(stored.watermark, this.#position.watermark) >= 0)
      this.#take(stored);
    return this.#position ?? stored;
  }

  /**
   * Stores the position; the watermark never goes back.
   *
   * @throws {KattegatError} `conflict` when the site is not at `after`: its store was lost, or went back, since that was read.
   */
  async advance(next: Position, after: Fence): Promise<Position> {
    const before = await this.read();
    assertReached(before.watermark, { after, to: next.watermark, place: "the site" });
    const isBack = compareFences(next.watermark, before.watermark) < 0;
    const position: Position = isBack ? { ...before, head_sequence: next.head_sequence } : next;
    const point = { id: WATERMARK_POINT_ID, vector: {}, payload: { kind: "watermark", ...position } };
    await this.#schema.run((client, { meta }) =>
      client.upsert(meta, { wait: true, ordering: "strong", points: [point] }),
    );
    this.#take(position);
    return position;
  }

  /**
   * Milliseconds that the site is behind, or null before anything was applied.
   *
   * Behind since it heard of a later change, or since its last change was committed, whichever is later: the first would
   * grow for ever under a steady stream of writes, the second would count the quiet hours before a write.
   */
  lagMs(): number | null {
    if (this.#position === null || this.#position.watermark_at === null) return null;
    if (this.#behindSinceMs === null) return 0;
    const committedMs = Date.parse(this.#position.watermark_at);
    const sinceMs = Number.isNaN(committedMs)
      ? this.#behindSinceMs
      : Math.max(this.#behindSinceMs, committedMs);
    return Math.max(0, this.#now() - sinceMs);
  }

  #take(position: Position): void {
    this.#position = position;
    const head: Fence = { epoch: position.watermark.epoch, sequence: position.head_sequence };
    if (compareFences(position.watermark, head) >= 0) this.#behindSinceMs = null;
    else this.#behindSinceMs ??= this.#now();
  }
}
