/** The reports of one target's progress to the primary. */
import { CONFIRM_REFUSED_MAX, type ConfirmRequest, type RefusedChange } from "@kattegat/protocol/changes.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type { Parking } from "./parking.ts";
import type { Primary } from "./primary.ts";
import { isHealthy, type StreamStatus } from "./stream-status.ts";

/** The primary calls a silent target unavailable; this is several reports before any sensible patience ends. */
const HEARTBEAT_MS = 3_000;

export interface Confirmer {
  /** Sends a report soon; reports that are asked for meanwhile become one. */
  poke(): void;
  /** Reports until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** One report is on its way at a time, always with the newest state, so that a slow primary slows no stream. */
export function createConfirmer(options: {
  readonly primary: Pick<Primary, "confirm">;
  readonly status: () => StreamStatus;
  readonly parking: Pick<Parking, "untold" | "told">;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly failed: (error: unknown) => void;
}): Confirmer {
  let waker = new AbortController();
  let told: Fence | null = null;

  /** Resolves with whether everything is told: refusals come no later than a watermark that passes them, so none passes for a copy. */
  async function report(signal: AbortSignal): Promise<boolean> {
    const status = options.status();
    const { untold } = options.parking;
    const refused = untold.slice(0, CONFIRM_REFUSED_MAX);
    const isWhole = refused.length === untold.length;
    const watermark = isWhole ? status.watermark : (told ?? status.watermark);
    const request = reportOf({ ...status, watermark }, refused);
    if (request === null) return true;
    await options.primary.confirm(request, signal);
    told = watermark;
    options.parking.told(refused);
    return isWhole;
  }

  return {
    poke() {
      // With a reason, since making the usual one of each abort costs more than the report.
      waker.abort("poked");
    },
    async run(signal) {
      // One listener for the whole run: a signal made of two for each wait is several times as dear as the wait.
      signal.addEventListener("abort", () => waker.abort("stopped"), { once: true });
      while (!signal.aborted) {
        if (waker.signal.aborted) waker = new AbortController();
        const isWhole = await report(signal).catch((error: unknown) => {
          options.failed(error);
          return true;
        });
        if (isWhole) await options.sleep(HEARTBEAT_MS, waker.signal);
      }
    },
  };
}

/** Nothing is said of a target whose watermark is not known: a made-up one would move the primary's books. */
function reportOf(status: StreamStatus, refused: readonly RefusedChange[]): ConfirmRequest | null {
  if (status.watermark === null) return null;
  return {
    site: status.site,
    model: status.model,
    watermark: status.watermark,
    ...(status.removed === null ? {} : { removed: status.removed }),
    ...(refused.length === 0 ? {} : { refused: [...refused] }),
    lag_ms: status.lag_ms ?? 0,
    lag_changes: status.lag_changes ?? 0,
    parked: status.parked,
    healthy: isHealthy(status),
  };
}
