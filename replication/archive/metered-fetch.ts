/** Counts the bytes that go over a wire. */
import type { Metered } from "../entropy/meter.ts";
import type { BucketFetch } from "./bucket.ts";

/** Tells of each body, an answer's as it is read. */
export function meteredFetch(fetch: BucketFetch, metered: Metered): BucketFetch {
  return async (url, init) => {
    metered(init.body?.length ?? 0);
    const { ok, status, headers, body } = await fetch(url, init);
    const counted = body === null ? null : counting(body, metered);
    return { ok, status, headers, body: counted };
  };
}

async function* counting(body: AsyncIterable<Uint8Array>, metered: Metered): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    metered(part.byteLength);
    yield part;
  }
}
