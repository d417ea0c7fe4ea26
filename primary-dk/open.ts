/** Opens the primary again and again until Postgres lets it. */
import { postgresCode } from "./postgres/failure.ts";
import type { Primary } from "./primary.ts";

/** Postgres that starts beside us is there after a fraction of a second. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

export interface Opening {
  /** The primary, or why there is none yet. */
  readonly state: () => Primary | string;
  /** The reign; 0 until it is known, which accepts every sender. */
  readonly epoch: () => number;
  /** Rejects when it was cancelled, or with the cause when another attempt cannot mend it. */
  readonly opened: Promise<Primary>;
  cancel(): void;
}

export function openUntilDone(options: {
  readonly open: () => Promise<Primary>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly report: (error: unknown) => void;
}): Opening {
  let state: Primary | string = "the index is being rebuilt from Postgres";
  let cancelled = false;
  const attempt = async (): Promise<Primary> => {
    for (let waitMs = RETRY_MS_MIN; !cancelled; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        const primary = await options.open();
        state = primary;
        return primary;
      } catch (error) {
        const code = postgresCode(error);
        if (code === null) {
          state = error instanceof Error ? error.message : String(error);
          throw error;
        }
        state = `Postgres cannot be used: ${code}`;
        options.report(error);
        await options.sleep(waitMs);
      }
    }
    throw new Error("stopped before Postgres could be used");
  };
  return {
    state: () => state,
    epoch: () => (typeof state === "string" ? 0 : state.applied.head.fence.epoch),
    opened: attempt(),
    cancel: () => {
      cancelled = true;
    },
  };
}
