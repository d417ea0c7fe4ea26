/** An entrypoint that only this Worker can call: reads ranges in an invocation of its own. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { readRange, type ObjectRange } from "./cold/object-range.ts";
import type { EdgeBindings } from "./settings.ts";

export type BucketName = "COLD" | "COLD_GLOBAL";

/**
 * Calls of a service binding do not count as connections, and the invocation behind it has six of its own
 * (https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/#limits).
 */
export class OtherInvocation extends WorkerEntrypoint<EdgeBindings> {
  /** Resolves with null for each range that could not be read. */
  async read(name: BucketName, ranges: readonly ObjectRange[]): Promise<readonly (Uint8Array | null)[]> {
    const bucket = this.env[name];
    return Promise.all(
      ranges.map((range) => (bucket === undefined ? null : readRange(bucket, range).catch(() => null))),
    );
  }
}
