/** The priority of threads that nobody waits for. */
import { constants, setPriority } from "node:os";

/** Lets other threads of the machine go first, ten to one; called in the thread itself. The lowest priority would starve it on a busy machine. */
export function runInBackground(): void {
  // Linux counts priority by thread (setpriority(2), "C library/kernel differences"); elsewhere the whole process would yield.
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
}
