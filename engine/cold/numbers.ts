import { decodeBase64, encodeBase64 } from "@kattegat/protocol/base64.ts";
import { ColdFormatError } from "./format-error.ts";

/** A number takes five groups of seven bits at most. */
const SHIFT_MAX = 28;
const NUMBER_MAX = 0xffff_ffff;

/** Returns ascending numbers below 2³² as base64 of their differences in unsigned LEB128 (DWARF 5, section 7.6). */
export function encodeNumbers(numbers: readonly number[]): string {
  const bytes: number[] = [];
  let last = -1;
  for (const number of numbers) {
    let left = number - last - 1;
    if (left < 0) throw new RangeError(`expected ascending numbers, got ${number} after ${last}`);
    while (left > 0x7f) {
      bytes.push((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    bytes.push(left);
    last = number;
  }
  return encodeBase64(Uint8Array.from(bytes));
}

/** Returns the numbers. @throws {ColdFormatError} for a text that is no such list. */
export function decodeNumbers(text: string): readonly number[] {
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(text);
  } catch {
    throw new ColdFormatError("expected numbers in base64");
  }
  const numbers: number[] = [];
  let last = -1;
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    value += (byte & 0x7f) * 2 ** shift;
    if (byte > 0x7f) {
      shift += 7;
      if (shift > SHIFT_MAX) throw new ColdFormatError("expected numbers of 32 bits");
      continue;
    }
    last += value + 1;
    if (last > NUMBER_MAX) throw new ColdFormatError("expected numbers of 32 bits");
    numbers.push(last);
    value = 0;
    shift = 0;
  }
  if (shift > 0) throw new ColdFormatError("expected the last number whole");
  return numbers;
}
