/** Where in the log a target takes a batch. */
import { KattegatError } from "./errors.ts";
import { compareFences, type Fence } from "./sequence.ts";

/**
 * A batch that follows what the target does not have would leave a gap that nobody sees. One that begins a reign follows exactly where
 * the target is, since the primary looks for that place in its log (I2): what a target has of a lost reign, from a backup, say, the
 * changes from an earlier place on do not withdraw.
 *
 * @param reached - where the target is.
 * @param options.place - the target in the words of its message.
 * @throws {KattegatError} `conflict`.
 */
export function assertReached(
  reached: Fence,
  { after, to, place }: { readonly after: Fence; readonly to: Fence; readonly place: string },
): void {
  const order = compareFences(reached, after);
  if (order === 0 || (order > 0 && to.epoch <= reached.epoch)) return;
  throw new KattegatError(
    "conflict",
    `Expected changes from (${reached.epoch}, ${reached.sequence}) on, where ${place} is; these follow (${after.epoch}, ${after.sequence}).`,
  );
}
