/** A list of uint32 that grows. */
export interface GrowingNumbers {
  readonly length: number;
  /** Puts the number in its place; places skipped before it are 0. */
  set(index: number, number: number): void;
  /** The first `length` numbers, 0 where none was put. */
  first(length: number): Uint32Array;
}

/** Half as much again each time keeps copying linear without doubling the memory. */
const GROWTH = 1.5;

/** Returns an empty list; a typed one, since a base has millions of rows. */
export function createGrowingNumbers(): GrowingNumbers {
  let numbers = new Uint32Array(1_024);
  let used = 0;
  const reserve = (length: number) => {
    if (length <= numbers.length) return;
    const next = new Uint32Array(Math.max(length, Math.ceil(numbers.length * GROWTH)));
    next.set(numbers);
    numbers = next;
  };
  return {
    get length() {
      return used;
    },
    set(index, number) {
      reserve(index + 1);
      numbers[index] = number;
      used = Math.max(used, index + 1);
    },
    first(length) {
      reserve(length);
      return numbers.subarray(0, length);
    },
  };
}
