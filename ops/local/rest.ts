/** Preloaded into the local processes: gives memory back when a process rests. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Long enough that a pause between two requests is no rest. */
const LOOK_MS = 5_000;
/** A process that used less of a core than this since the last look rests. */
const RESTING_SHARE_MAX = 0.05;
/** Less garbage than this is not worth the pause of a collection. */
const GARBAGE_BYTES_MIN = 8 * 1_024 * 1_024;

// V8 collects what a burst of work left behind at the next allocation, which does not come in a process that rests.
setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
let cpu = process.cpuUsage();
let heldBytes = 0;

setInterval(() => {
  const used = process.cpuUsage(cpu);
  cpu = process.cpuUsage();
  const share = (used.user + used.system) / 1_000 / LOOK_MS;
  if (
    typeof collect !== "function" ||
    share > RESTING_SHARE_MAX ||
    bytesInUse() - heldBytes < GARBAGE_BYTES_MIN
  )
    return;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  heldBytes = bytesInUse();
}, LOOK_MS).unref();

function bytesInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
