/** A sum of bytes. */

/** Hears the bytes of each body. */
export type Metered = (bytes: number) => void;

export interface Meter {
  readonly metered: Metered;
  /** Since the start. */
  bytes(): number;
}

export function createMeter(): Meter {
  let bytes = 0;
  return {
    metered(more) {
      bytes += more;
    },
    bytes: () => bytes,
  };
}
