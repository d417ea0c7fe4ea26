import { describe, expect, it } from "vitest";
import { newKey, seal, sealKeyOf, SealError, unseal } from "./seal.ts";

const value = Buffer.from("Klagefristen er fire uger.", "utf8");

describe("a sealed value", () => {
  it("opens with its key at its place, and shows nothing of its content (I20)", () => {
    const key = sealKeyOf(newKey());
    const sealed = seal(key, value, "body\na");
    expect(unseal(key, sealed, "body\na")).toEqual(value);
    expect(sealed.includes("Klagefristen")).toBe(false);
    expect(seal(key, value, "body\na")).not.toEqual(sealed);
  });

  it("opens nowhere else, with no other key, and with no bit of it changed", () => {
    const key = sealKeyOf(newKey());
    const sealed = seal(key, value, "body\na");
    expect(() => unseal(key, sealed, "body\nb")).toThrow(SealError);
    expect(() => unseal(sealKeyOf(newKey()), sealed, "body\na")).toThrow(SealError);
    for (let at = 0; at < sealed.length; at += 1) {
      const damaged = Buffer.from(sealed);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => unseal(key, damaged, "body\na")).toThrow(SealError);
    }
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => unseal(key, sealed.subarray(0, length), "body\na")).toThrow(SealError);
  });
});
