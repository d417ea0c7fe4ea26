import { expect, it } from "vitest";
import { countBits, createBitmap, setBit } from "./bitmap.ts";

it("counts every slot of a set, or more than enough of them", () => {
  const bitmap = createBitmap(3_200);
  for (let slot = 0; slot < 3_200; slot += 3) setBit(bitmap, slot);
  expect(countBits(bitmap)).toBe(1_067);
  expect(countBits(bitmap, 1_067)).toBe(1_067);
  // Three words hold 32 slots here: to have just enough is not yet to have more.
  expect(countBits(bitmap, 32)).toBeGreaterThan(32);
  expect(countBits(bitmap, 100)).toBeGreaterThan(100);
  expect(countBits(bitmap, 100)).toBeLessThan(150);
});
