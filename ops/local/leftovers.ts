/** The end of what a killed network left running. */
import { readFileSync, readdirSync } from "node:fs";
import type { RunningNetwork } from "./network-file.ts";

/**
 * Ends the processes of the groups that the last network made. Children stop by themselves when their parent dies;
 * this is for a child that was killed together with it, whose own children then hold ports and files.
 */
export function sweepLeftovers(last: RunningNetwork | null, root: string): void {
  const groups = new Set((last?.processes ?? []).flatMap(({ pid }) => (pid === null ? [] : [pid])));
  for (const { pid, group } of listProcesses()) {
    if (!groups.has(group) || !belongs(pid, root)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** A group's number can have been given to other programs since. */
function belongs(pid: number, root: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    return command.includes(root) || environment.includes(root);
  } catch {
    return false;
  }
}

/** Linux alone lists processes as files; elsewhere the children's own end must do. */
function listProcesses(): readonly { readonly pid: number; readonly group: number }[] {
  try {
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      const stat = readStat(name);
      return stat === null ? [] : [{ pid: Number(name), group: stat }];
    });
  } catch {
    return [];
  }
}

function readStat(pid: string): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; the third field after it is the group.
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[2]);
  } catch {
    return null;
  }
}
