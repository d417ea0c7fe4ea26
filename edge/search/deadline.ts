/** A bound on waiting for work that cannot be cancelled. */

/** Resolves with the work's result, or with `null` once the time is over; work that fails later is not heard of. */
export async function within<T>(work: Promise<T>, timeMs: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), Math.max(0, timeMs));
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    work.catch(() => null);
  }
}
