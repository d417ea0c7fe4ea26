import { createExecutionContext, env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { OtherInvocation } from "./other-invocation.ts";
import type { EdgeBindings } from "./settings.ts";

const BYTES = Uint8Array.from({ length: 100 }, (_, at) => at);

beforeAll(async () => {
  for (const key of ["bases/b.rows.0", "bases/hangs", "segments/s"]) await env.COLD.put(key, BYTES);
});

/** A bucket of which one object never answers. */
const bucket = new Proxy(env.COLD, {
  get: (target, name) =>
    name === "get"
      ? (key: string, options: R2GetOptions) =>
          key === "bases/hangs" ? new Promise(() => undefined) : target.get(key, options)
      : Reflect.get(target, name),
});

function invocation(): OtherInvocation {
  const bindings: Partial<EdgeBindings> = { COLD: bucket };
  // The constructor is the platform's: it takes what the runtime would give.
  return Reflect.construct(OtherInvocation, [createExecutionContext(), bindings]);
}

const range = (key: string, offset = 0) => ({ key, offset, length: 10 });

describe("the ranges of another invocation", () => {
  it("come one by one: what hangs or is gone is null, the others are there", async () => {
    const read = await invocation().read("COLD", [
      range("bases/b.rows.0"),
      range("bases/hangs"),
      range("bases/gone"),
      range("bases/b.rows.0", 95),
    ]);
    expect(read).toEqual([BYTES.slice(0, 10), null, null, BYTES.slice(95)]);
  });

  it("are those that a search reads by range, six at most, of a bucket that is bound", async () => {
    expect(await invocation().read("COLD", [range("segments/s"), range("manifest.json")])).toEqual([
      null,
      null,
    ]);
    expect(await invocation().read("COLD_GLOBAL", [range("bases/b.rows.0")])).toEqual([null]);
    const seven = Array.from({ length: 7 }, () => range("bases/b.rows.0"));
    await expect(invocation().read("COLD", seven)).rejects.toThrow(RangeError);
  });
});
