/** Ranges of objects, read here or in an invocation of their own. */

export interface ObjectRange {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads ranges, at most as many as may wait at once, in another invocation of this Worker, which has connections of its own.
 *
 * Resolves with null for each range that could not be read.
 */
export type ReadElsewhere = (ranges: readonly ObjectRange[]) => Promise<readonly (Uint8Array | null)[]>;

/** Resolves with the bytes of the range, or as many as there are; null when the object is gone. */
export async function readRange(
  bucket: R2Bucket,
  { key, offset, length }: ObjectRange,
  hold: <T>(headers: Promise<T>) => Promise<T> = (headers) => headers,
): Promise<Uint8Array | null> {
  const object = await hold(bucket.get(key, { range: { offset, length } }));
  return object === null ? null : new Uint8Array(await object.arrayBuffer());
}
