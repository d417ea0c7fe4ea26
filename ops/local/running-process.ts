/** Finds a process of a local network that runs. */
import { dataFolder } from "./folder.ts";
import { readRunningNetwork } from "./network-file.ts";

export interface RunningProcess {
  readonly url: string;
  /** Null while it is down. */
  readonly pid: number | null;
}

/** The process of that name as it runs now, in the network of this data folder. @throws {Error} when there is none. */
export function runningProcess(data: string, name: string): RunningProcess {
  const running = readRunningNetwork(dataFolder(data).network);
  const found = running?.processes.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no process ${name}`);
  return found;
}
