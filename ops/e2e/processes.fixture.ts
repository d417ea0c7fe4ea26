/** Kills and stops processes of a running network. */
import { readNetwork } from "../configured-network.ts";
import { REPLICATION, processNames, qdrantName, s3Name } from "../local/process-names.ts";
import { runningProcess } from "../local/running-process.ts";
import { readSettings } from "../settings.ts";
import type { Lost, SiteId } from "./history.fixture.ts";

const settings = readSettings({});
/** Every process of the shipped network: it cannot do without any for long. */
export const PROCESSES = processNames(readNetwork(settings).network, settings);

/** The processes of a site that is lost, and the sites that cannot be asked meanwhile. */
const LOST: Readonly<
  Record<Lost, { readonly processes: readonly string[]; readonly sites: readonly SiteId[] }>
> = {
  "eu-fra": { processes: ["eu-fra", qdrantName("eu-fra")], sites: ["eu-fra"] },
  "eu-arn": { processes: ["eu-arn", qdrantName("eu-arn")], sites: ["eu-arn"] },
  "archive-dk": { processes: [s3Name("archive-dk")], sites: ["archive-dk"] },
  // Writes pass the edge: it is killed instead, and comes back by itself.
  edge: { processes: [], sites: [] },
  replication: { processes: [REPLICATION], sites: [] },
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
    const { pid } = runningProcess(this.#data, name);
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
