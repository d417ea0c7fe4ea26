/** Replication as it would be if it took the wrong word for true. */
import type { Primary } from "@kattegat/replication/primary.ts";
import type { Batch, Target } from "@kattegat/replication/target.ts";

/** Tells the sender that all is stored, and begins to store it. */
export const onReceipt = (target: Target): Target => ({
  ...target,
  apply(batch, signal) {
    void target.apply(batch, signal).catch(() => undefined);
    return Promise.resolve({ watermark: batch.position, refused: [] });
  },
});

/** Takes an error for an answer. */
export const carefree = (target: Target): Target => ({
  ...target,
  apply: (batch, signal) =>
    target.apply(batch, signal).catch(() => ({ watermark: batch.position, refused: [] })),
});

/** Leaves the older copy where a put could not be taken. */
export const leavingOld = (target: Target): Target => {
  const puts = new Set<string>();
  const apply = (batch: Batch, signal: AbortSignal): ReturnType<Target["apply"]> => {
    for (const change of batch.changes) if (change.kind === "put") puts.add(change.sequence);
    const changes = batch.changes.map((change) =>
      change.kind === "withdraw" && puts.has(change.sequence)
        ? ({
            kind: "skip",
            epoch: change.epoch,
            sequence: change.sequence,
            committed_at: change.committed_at,
          } as const)
        : change,
    );
    return target.apply({ ...batch, changes }, signal);
  };
  return { ...target, apply };
};

export const unnamed = (target: Target): Target => ({
  ...target,
  apply: async (batch, signal) => ({ ...(await target.apply(batch, signal)), refused: [] }),
});

/** More than a history has. */
const REIGNS = [1, 2, 3, 4, 5, 6];

/** Tells what was refused as if sequences were never issued again. */
export const ofAnyReign = (primary: Primary): Primary => ({
  ...primary,
  confirm: ({ refused = [], ...report }, signal) =>
    primary.confirm(
      { ...report, refused: refused.flatMap((change) => REIGNS.map((epoch) => ({ ...change, epoch }))) },
      signal,
    ),
});

/** Forgets what of the segments is hidden. */
export async function* unhidden<T extends object>(
  inputs: AsyncIterable<T>,
): AsyncGenerator<T & { tombstones: string[] }> {
  for await (const input of inputs) yield { ...input, tombstones: [] };
}
