/** How sites come to where a log ends, as one status after the other tells. */
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";

/** A site tells its watermark after each batch: the slowest pace of an archive needs half a minute for one. */
export const STILL_MS_MAX = 120_000;

export interface ReachedSite {
  readonly site: string;
  readonly kind: NetworkStatus["sites"][number]["kind"];
  readonly atMs: number;
}

export interface LevellingOptions {
  /** A site that is not waited for. */
  readonly without?: string | null;
  /** Whether only sites that are searched are waited for, so no archive. */
  readonly searched?: boolean;
}

interface Watermark {
  readonly first: string;
  readonly firstMs: number;
  readonly last: string;
}

/** The end is that of the log at the first status, so waiting ends under writes, too. */
export class Levelling {
  readonly #options: LevellingOptions;
  readonly #reached = new Map<string, ReachedSite>();
  readonly #watermarks = new Map<string, Watermark>();
  #end: string | null = null;
  #movedAtMs = 0;
  #atMs = 0;

  constructor(options: LevellingOptions) {
    this.#options = options;
  }

  get reached(): readonly ReachedSite[] {
    return [...this.#reached.values()];
  }

  /** `still`: some site is not level, and none has moved for `STILL_MS_MAX`. */
  take(
    { sites, sequence }: Pick<NetworkStatus, "sites" | "sequence">,
    atMs: number,
  ): "level" | "moving" | "still" {
    const { without = null, searched = false } = this.#options;
    if (this.#end === null) this.#movedAtMs = atMs;
    this.#end ??= sequence;
    this.#atMs = atMs;
    const running = sites.filter(
      ({ id, kind, health }) =>
        health !== "not_running" && id !== without && !(searched && kind === "archive"),
    );
    for (const { id, kind, watermark } of running) {
      if (watermark === null) continue;
      const known = this.#watermarks.get(id);
      if (known?.last !== watermark) this.#movedAtMs = atMs;
      this.#watermarks.set(id, { first: watermark, firstMs: atMs, ...known, last: watermark });
      if (compareSequences(watermark, this.#end) >= 0 && !this.#reached.has(id))
        this.#reached.set(id, { site: id, kind, atMs });
    }
    if (this.#reached.size === running.length) return "level";
    return atMs - this.#movedAtMs > STILL_MS_MAX ? "still" : "moving";
  }

  /** The sites that are on their way: how far each is, at what rate. */
  describe(): string {
    const waiting = [...this.#watermarks].filter(([id]) => !this.#reached.has(id));
    const number = (value: bigint | number): string => value.toLocaleString("en-US");
    return waiting
      .map(([id, { first, firstMs, last }]) => {
        const seconds = (this.#atMs - firstMs) / 1_000;
        const changes = Number(BigInt(last) - BigInt(first));
        const rate = seconds > 0 ? Math.round(changes / seconds) : 0;
        return `${id} at ${number(BigInt(last))} of ${number(BigInt(this.#end ?? "0"))}, ${number(rate)} a second`;
      })
      .join("; ");
  }
}
