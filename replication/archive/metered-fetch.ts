/** Counts the bytes that go over a wire. */
import type { Metered } from "../entropy/meter.ts";
import type { Fetch } from "../site-client.ts";

/** Tells of each body, an answer's as it is read; an answer is read by its `body` alone. */
export function meteredFetch(fetch: Fetch, metered: Metered): Fetch {
  return async (url, init) => {
    metered(init.body?.length ?? 0);
    const answer = await fetch(url, init);
    const { ok, status, headers, body } = answer;
    const counted = body === null ? null : counting(body, metered);
    return {
      ok,
      status,
      headers,
      body: counted,
      json: () => answer.json(),
      arrayBuffer: () => answer.arrayBuffer(),
    };
  };
}

async function* counting(body: AsyncIterable<Uint8Array>, metered: Metered): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    metered(part.byteLength);
    yield part;
  }
}
