/** Work on several requests at once. */

/** Rejects with the first failure once nothing is on its way any more: what is repeated must not meet what was left. */
export async function inParallel<T>(
  items: readonly T[],
  concurrentMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failures.length > 0) return;
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrentMax, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
