/** The priority of threads that nobody waits for. */
import { constants, setPriority } from "node:os";

/** Lets every other thread of the machine go first; called in the thread itself. */
export function runInBackground(): void {
  // Linux counts priority by thread (setpriority(2), "C library/kernel differences"); elsewhere the whole process would yield.
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_LOW);
}
