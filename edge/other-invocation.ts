/** Reads ranges in an invocation of its own. No route leads here: only a Worker of the same account that binds this entrypoint can call it. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { WAITING_CONNECTIONS_MAX } from "./cold/connections.ts";
import { readRange, type ObjectRange } from "./cold/object-range.ts";
import { within } from "./search/deadline.ts";
import type { EdgeBindings } from "./settings.ts";

export type BucketName = "COLD" | "COLD_GLOBAL";

/** What a search reads by range; not the segments, not the manifest. */
const PREFIXES = ["bases/", "embeddings/"];
/** Three times what an object store needs for 999 reads of 1,000, less than the caller waits: one range that hangs costs the others nothing. */
const RANGE_MS_MAX = 400;

/**
 * Calls of a service binding do not count as connections, and the invocation behind it has six of its own
 * (https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/#limits).
 */
export class OtherInvocation extends WorkerEntrypoint<EdgeBindings> {
  /** Resolves with null for each range that could not be read. */
  async read(name: BucketName, ranges: readonly ObjectRange[]): Promise<readonly (Uint8Array | null)[]> {
    const bucket = this.env[name];
    if (ranges.length > WAITING_CONNECTIONS_MAX)
      throw new RangeError(`expected ${WAITING_CONNECTIONS_MAX} ranges at most, got ${ranges.length}`);
    return Promise.all(
      ranges.map((range) =>
        bucket === undefined || !PREFIXES.some((prefix) => range.key.startsWith(prefix))
          ? null
          : within(readRange(bucket, range), RANGE_MS_MAX).catch(() => null),
      ),
    );
  }
}
