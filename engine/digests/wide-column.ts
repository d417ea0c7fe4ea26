/** Numbers of 128 bits in a column: two of 64 bits a slot, the high one first. */

export function wideAt(column: BigUint64Array, slot: number): bigint {
  return ((column[slot * 2] ?? 0n) << 64n) | (column[slot * 2 + 1] ?? 0n);
}

export function setWide(column: BigUint64Array, slot: number, value: bigint): void {
  column[slot * 2] = value >> 64n;
  column[slot * 2 + 1] = BigInt.asUintN(64, value);
}
