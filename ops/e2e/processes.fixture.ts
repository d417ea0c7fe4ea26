/** Kills and stops processes of a running network. */
import { dataFolder } from "../local/folder.ts";
import { readRunningNetwork } from "../local/network-file.ts";
import type { Lost, SiteId } from "./history.fixture.ts";

/** Every process that a network cannot do without for long. */
export const PROCESSES = [
  "dk-cph",
  "postgres",
  "edge",
  "replication",
  "eu-fra",
  "eu-arn",
  "qdrant-eu-fra",
  "qdrant-eu-arn",
  "s3-archive-dk",
] as const;

/** The process of that name as it runs now. */
export function processOf(data: string, name: string): { readonly url: string; readonly pid: number | null } {
  const running = readRunningNetwork(dataFolder(data).network);
  const found = running?.processes.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no process ${name}`);
  return found;
}

/** The processes of a site that is lost, and the sites that cannot be asked meanwhile. */
const LOST: Readonly<
  Record<Lost, { readonly processes: readonly string[]; readonly sites: readonly SiteId[] }>
> = {
  "eu-fra": { processes: ["eu-fra", "qdrant-eu-fra"], sites: ["eu-fra"] },
  "eu-arn": { processes: ["eu-arn", "qdrant-eu-arn"], sites: ["eu-arn"] },
  "archive-dk": { processes: ["s3-archive-dk"], sites: ["archive-dk"] },
  // Writes pass the edge: it is killed instead, and comes back by itself.
  edge: { processes: [], sites: [] },
  replication: { processes: ["replication"], sites: [] },
};

export class Processes {
  readonly #data: string;
  readonly #stopped = new Map<number, readonly SiteId[]>();

  constructor(data: string) {
    this.#data = data;
  }

  /** Sites that do not answer before they are restored. */
  get lost(): ReadonlySet<SiteId> {
    return new Set([...this.#stopped.values()].flat());
  }

  kill(name: string): void {
    this.#signal(name, "SIGKILL");
  }

  /** The site stands still, as behind a cut line. */
  lose(site: Lost): void {
    const { processes, sites } = LOST[site];
    if (processes.length === 0) this.kill(site);
    for (const name of processes) {
      const pid = this.#signal(name, "SIGSTOP");
      if (pid !== null) this.#stopped.set(pid, sites);
    }
  }

  restore(): void {
    for (const pid of this.#stopped.keys()) send(pid, "SIGCONT");
    this.#stopped.clear();
  }

  #signal(name: string, signal: NodeJS.Signals): number | null {
    const { pid } = processOf(this.#data, name);
    return pid !== null && send(pid, signal) ? pid : null;
  }
}

/** Whether the process was there: it may have been killed a moment ago. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
