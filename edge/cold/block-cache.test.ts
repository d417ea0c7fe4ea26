import { describe, expect, it } from "vitest";
import { createBlockCache } from "./block-cache.ts";

const block = (byteLength: number): { readonly byteLength: number } => ({ byteLength });

describe("the block cache", () => {
  it("never holds more bytes than its bound, whatever comes", () => {
    const cache = createBlockCache({ bytesMax: 10_000 });
    const sizes = new Map<string, number>();
    let state = 1;
    for (let step = 0; step < 20_000; step += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const key = `k${state % 97}`;
      if (state % 3 === 0) expect(cache.get(key)?.byteLength ?? sizes.get(key)).toBe(sizes.get(key));
      else {
        const bytes = (state >>> 8) % 3_000;
        sizes.set(key, bytes);
        cache.set(key, block(bytes));
        expect(cache.get(key)?.byteLength).toBe(bytes);
      }
      expect(cache.bytes).toBeLessThanOrEqual(10_000);
    }
    const held = [...sizes.keys()].reduce((sum, key) => sum + (cache.get(key)?.byteLength ?? 0), 0);
    expect(cache.bytes).toBe(held);
  });

  it("gives up what is used least for its bytes", () => {
    const cache = createBlockCache({ bytesMax: 100 });
    cache.set("small", block(10));
    cache.set("used", block(30));
    cache.set("large", block(60));
    // Twice for 60 bytes is less than once for 10.
    cache.get("large");
    for (let use = 0; use < 4; use += 1) cache.get("used");
    cache.set("new", block(20));
    expect(cache.get("large")).toBeUndefined();
    expect(cache.get("small")).toBeDefined();
    expect(cache.get("used")).toBeDefined();
    expect(cache.get("new")).toBeDefined();
  });

  it("forgets in the end what was hot once", () => {
    const cache = createBlockCache({ bytesMax: 100 });
    cache.set("once hot", block(10));
    for (let use = 0; use < 20; use += 1) cache.get("once hot");
    for (let other = 0; other < 30; other += 1) cache.set(`o${other}`, block(10));
    expect(cache.get("once hot")).toBeDefined();
    for (let other = 0; other < 1_000; other += 1) cache.set(`p${other}`, block(10));
    expect(cache.get("once hot")).toBeUndefined();
  });

  it("replaces a block of the same key, and does not keep one that is larger than the cache", () => {
    const cache = createBlockCache({ bytesMax: 100 });
    cache.set("a", block(40));
    cache.set("a", block(70));
    expect(cache.bytes).toBe(70);
    cache.set("b", block(101));
    expect(cache.get("b")).toBeUndefined();
    expect(cache.get("a")).toEqual(block(70));
    cache.set("a", block(101));
    expect(cache.get("a")).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });
});
